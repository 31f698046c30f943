# What is there. Arguments: mark of the lines, and what is asked about: "left" for what an earlier preparation left, and
# "linux" or "android" for what can be set as well. Written is only our folder, for "linux" and "android".
mark=$1 about=$2

look() {
    read_clock
    echo "$mark uptime $now"
    echo "$mark boot $boot"
    echo "$mark user $(id -u)"
    if has flock; then echo "$mark flock"; fi
    for file in state deadline last; do
        if [ -f "$folder/$file" ]; then
            echo "$mark $file"
            dd if="$folder/$file" bs=1000000 count=1 2>/dev/null
            echo
        fi
    done
}

# tell NODE…: what each says, and whether we may write to it.
tell() {
    for node; do
        file=$sys/${node#sys/}
        [ -f "$file" ] && is_node "$node" || continue
        read_node "$node" || value='?'
        if [ -w "$file" ]; then show "$mark node $node w"; else show "$mark node $node r"; fi
    done
}

# Two hundred policies are a large server: no process is started for a value.
policies() {
    cpu=devices/system/cpu
    set -- "$sys/$cpu/cpufreq/"policy[0-9]*
    # Older kernels show the folder of a policy at each of its CPUs.
    [ -d "$1" ] || set -- "$sys/$cpu/"cpu[0-9]*/cpufreq
    for policy; do
        name=sys/${policy#"$sys"/}
        [ -f "$policy/scaling_governor" ] || continue
        tell "$name/related_cpus" "$name/scaling_driver" "$name/scaling_governor" "$name/scaling_available_governors" \
            "$name/scaling_available_frequencies" "$name/scaling_boost_frequencies" "$name/cpuinfo_min_freq" \
            "$name/cpuinfo_max_freq" "$name/scaling_min_freq" "$name/scaling_max_freq" "$name/scaling_setspeed" \
            "$name/energy_performance_preference"
        read_node "$name/scaling_governor" && is_node "$name/$value" || continue
        tunables "$name/$value"
        case $seen in
            *" $value "*) ;;
            *) seen="$seen$value "; tunables "sys/$cpu/cpufreq/$value" ;;
        esac
    done
}

# What can be read and written of a governor's folder is lost when the governor is changed (cpufreq_governor.c).
tunables() {
    [ -d "$sys/${1#sys/}" ] || return 0
    find "$sys/${1#sys/}" -maxdepth 1 -type f -perm -600 2>/dev/null >"$folder/tunables.$$" || true
    while read -r file; do
        if is_node "$1/${file##*/}"; then
            read_node "$1/${file##*/}" || value='?'
            show "$mark tunable $1/${file##*/}"
        else
            echo "$mark tunable $1/? ?"
        fi
    done <"$folder/tunables.$$"
    rm -f "$folder/tunables.$$"
}

cooling() {
    for path in "$sys/class/hwmon/"hwmon[0-9]*; do
        read -r value 2>/dev/null <"$path/name" || continue
        if [ "$value" = pwmfan ]; then tell "sys/${path#"$sys"/}/pwm1"; fi
    done
    for path in "$sys/class/thermal/"cooling_device[0-9]*; do
        read -r value 2>/dev/null <"$path/type" || continue
        cooler=sys/${path#"$sys"/}
        show "$mark type $cooler"
        read -r value 2>/dev/null <"$path/max_state" || continue
        show "$mark max $cooler"
        tell "$cooler/cur_state"
    done
}

screen() {
    for node in screen setting/global/stay_on_while_plugged_in setting/system/screen_off_timeout; do
        read_node "$node" || value='?'
        show "$mark node $node w"
    done
}

look
if [ "$about" != left ]; then
    mkdir -p "$folder"
    : >>"$folder/lock"
    seen=' '
    policies
    cooling
    if [ "$about" = android ]; then screen; fi
fi
echo "$mark end"
