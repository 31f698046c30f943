# What can be set, by name: a file of sysfs, a setting of Android, or the screen.

is_node() {
    case $1 in *[!A-Za-z0-9_./-]* | *..*) return 1 ;; esac
    case $1 in
        sys/devices/system/cpu/cpufreq/?*) ;;
        sys/devices/system/cpu/cpu[0-9]*/cpufreq/?*) ;;
        sys/class/hwmon/hwmon[0-9]*/pwm1) ;;
        sys/class/thermal/cooling_device[0-9]*/cur_state) ;;
        setting/global/stay_on_while_plugged_in | setting/system/screen_off_timeout) ;;
        screen) ;;
        *) return 1 ;;
    esac
}

# One line of words, which echo prints as it is in every shell.
is_value() {
    case $1 in
        '' | *[!A-Za-z0-9_.:,+\ -]* | -[!0-9]*) return 1 ;;
    esac
    [ "${#1}" -le "${2:-200}" ]
}

# read_node NODE: what it says now in $value; false where it says nothing.
read_node() {
    value=
    case $1 in
        sys/*)
            [ -f "$sys/${1#sys/}" ] || return 1
            read -r value 2>/dev/null <"$sys/${1#sys/}" || [ -n "$value" ]
            ;;
        setting/*)
            namespace=${1#setting/}
            value=$(settings get "${namespace%%/*}" "${1##*/}" 2>/dev/null </dev/null) && [ -n "$value" ]
            ;;
        screen)
            # `  mWakefulness=Awake` (AOSP PowerManagerService.dump). A dream is what the screen shows when it is idle.
            case $(dumpsys power 2>/dev/null </dev/null | grep -m 1 '^  mWakefulness=') in
                *=Awake | *=Dreaming) value=on ;;
                *=Asleep | *=Dozing) value=off ;;
                *) return 1 ;;
            esac
            ;;
    esac
}

# write_node NODE VALUE
write_node() {
    case $1 in
        sys/*) echo "$2" >"$sys/${1#sys/}" ;;
        setting/*)
            namespace=${1#setting/}
            if [ "$2" = null ]; then # what `settings get` says where there is none
                settings delete "${namespace%%/*}" "${1##*/}" </dev/null >/dev/null
            else
                settings put "${namespace%%/*}" "${1##*/}" "$2" </dev/null
            fi
            ;;
        screen)
            # KEYCODE_WAKEUP and KEYCODE_SLEEP (AOSP KeyEvent.java): each does nothing where it is so already.
            case $2 in on) key=224 ;; *) key=223 ;; esac
            input keyevent "$key" </dev/null
            waited=0
            until { read_node screen && [ "$value" = "$2" ]; } || [ "$waited" -ge 30 ]; do
                waited=$((waited + 1))
                pause
            done
            ;;
    esac
}

# set_node NODE VALUE: write and read back: $value is what it says then, $error what came in between; false where that
# is another value. The kernel rounds, clamps and ignores.
set_node() {
    error=$(write_node "$1" "$2" 2>&1) || true
    error=${error%%"$newline"*}
    read_node "$1" || value=
    [ "$value" = "$2" ]
}

# show PREFIX: what was read last, on a line; anything but words is a question mark.
show() {
    if is_value "$value" 4000; then echo "$1 $value"; else echo "$1 ?"; fi
}
