"""What benchmark programs printed, as people published it: program, year and source above each, as far as known."""

from __future__ import annotations

# benchmark_model of TensorFlow Lite 1.12 (2018): the manual of a board's Linux.
TFLITE_2018 = """\
STARTING!
Num runs: [50]
Inter-run delay (seconds): [-1]
Num threads: [1]
Benchmark name: []
Output prefix: []
Warmup runs: [1]
Graph: [mobilenet_v1_1.0_224_quant.tflite]
Input layers: []
Input shapes: []
Use nnapi : [0]
Loaded model mobilenet_v1_1.0_224_quant.tflite
resolved reporter
Initialized session in 4.452ms
Running benchmark for 1 iterations
count=1 curr=146161

Running benchmark for 50 iterations
count=50 first=137789 curr=137254 min=137079 max=143416 avg=137722 std=896

Average inference timings in us: Warmup: 146161, Init: 4452, no stats: 137722
"""

# benchmark_model of June 2019 with --enable_op_profiling=true, an Android phone: a blog. Its tables are shortened.
TFLITE_2019 = """\
STARTING!
Min num runs: [50]
Min runs duration (seconds): [1]
Num threads: [1]
Min warmup runs: [1]
Min warmup runs duration (seconds): [0.5]
Graph: [/data/local/tmp/mobilenet_v2_1.0_224_quant.tflite]
Enable op profiling: [1]
Loaded model /data/local/tmp/mobilenet_v2_1.0_224_quant.tflite
resolved reporter
INFO: Initialized TensorFlow Lite runtime.
Initialized session in 1.892ms
Running benchmark for at least 1 iterations and at least 0.5 seconds
count=6 first=91810 curr=85097 min=84834 max=91810 avg=86184.3 std=2519

Running benchmark for at least 50 iterations and at least 1 seconds
count=50 first=118810 curr=114219 min=88216 max=129193 avg=115062 std=7678

Average inference timings in us: Warmup: 86184.3, Init: 1892, no stats: 115062
============================== Run Order ==============================
\t             [node type]\t  [start]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]
\t                 CONV_2D\t    0.000\t    5.567\t    7.237\t  6.297%\t  6.297%\t     0.000\t        1\t[Conv/Relu6]
\t       DEPTHWISE_CONV_2D\t    7.241\t    3.518\t    3.726\t  3.243%\t  9.539%\t     0.000\t        0\t\
[expanded_conv/depthwise/Relu6]

============================== Top by Computation Time ==============================
\t             [node type]\t  [start]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]
\t                 CONV_2D\t   14.688\t   12.247\t   17.846\t 15.529%\t 15.529%\t     0.000\t        1\t\
[expanded_conv_1/expand/Relu6]

Number of nodes executed: 2
============================== Summary by node type ==============================
\t             [Node type]\t  [count]\t  [avg ms]\t    [avg %]\t    [cdf %]\t  [mem KB]\t[times called]
\t                 CONV_2D\t        1\t     7.237\t    66.012%\t    66.012%\t     0.000\t        1

Timings (microseconds): count=50 first=79449 curr=81350 min=77385 max=88213 avg=79732 std=1929
Memory (bytes): count=0
2 nodes observed
"""

# benchmark_model of August 2020, an Android phone: tensorflow/tensorflow issue 42507.
TFLITE_2020 = """\
STARTING!
Loaded model /data/local/tmp/espcn.tflite
The input model file size (MB): 0.004448
Initialized session in 0.855ms.
Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
count=15 first=49060 curr=33682 min=32825 max=49060 avg=34825.1 std=3930

Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
count=50 first=32891 curr=33978 min=32641 max=34005 avg=33209.4 std=450

Inference timings in us: Init: 855, First inference: 49060, Warmup (avg): 34825.1, Inference (avg): 33209.4
Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE to the actual memory \
footprint of the model at runtime. Take the information at your discretion.
Peak memory footprint (MB): init=0 overall=12.8672
"""

# benchmark_model, a slow board, numbers with exponents and a warm-up of one.
TFLITE_EXPONENTS = """\
STARTING!
Log parameter values verbosely: [0]
Num threads: [4]
Graph: [./mobilenet_v1_1.0_224.tflite]
#threads used for CPU inference: [4]
Loaded model ./mobilenet_v1_1.0_224.tflite
The input model file size (MB): 16.9008
Initialized session in 17.187ms.
Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
count=1 curr=3512391

Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
count=50 first=2990275 curr=2913402 min=2727568 max=3189954 avg=2.95034e+06 std=109798

Inference timings in us: Init: 17187, First inference: 3512391, Warmup (avg): 3.51239e+06, Inference (avg): 2.95034e+06
Memory footprint delta from the start of the tool (MB): init=4.21094 overall=46.0859
"""

# benchmark_model of about 2024, a Linux board: a build's log. The line VERBOSE and the last five are of other logs.
TFLITE_2024 = """\
INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Graph: [mobilenet_quant_v1_224.tflite]
INFO: Signature to run: []
INFO: Use gpu: [0]
INFO: Loaded model mobilenet_quant_v1_224.tflite
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
VERBOSE: Replacing 30 out of 31 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 1 partitions for \
subgraph 0.
INFO: The input model file size (MB): 4.2761
INFO: Initialized session in 87.639ms.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
INFO: count=5 first=106436 curr=105929 min=105929 max=106436 avg=106065 std=193 p5=105929 median=105948 p95=106436

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
INFO: count=50 first=106022 curr=105780 min=105416 max=106528 avg=105784 std=260 p5=105485 median=105718 p95=106281

INFO: Inference timings in us: Init: 87639, First inference: 106436, Warmup (avg): 106065, Inference (avg): 105784
INFO: Memory footprint delta from the start of the tool (MB): init=14.4414 overall=14.8164
INFO: Overall peak memory footprint (MB) via periodic monitoring: 61.5
INFO: Memory status at the end of exeution:
INFO: - VmRSS              : 60 MB
INFO: + RssAnnon           : 21 MB
INFO: + RssFile + RssShmem : 39 MB
"""

# The same program through `adb logcat -d -s tflite`, an Android phone: a report's appendix, shortened.
TFLITE_LOGCAT = """\
--------- beginning of main
07-14 13:23:08.134 25289 25289 I tflite  : Num threads: [4]
07-14 13:23:08.134 25289 25289 I tflite  : Graph: [/data/local/tmp/yolo26n_fp16.tflite]
07-14 13:23:08.134 25289 25289 I tflite  : #threads used for CPU inference: [4]
07-14 13:23:08.136 25289 25289 I tflite  : Initialized TensorFlow Lite runtime.
07-14 13:23:08.229 25289 25289 I tflite  : Initialized session in 95.112ms.
07-14 13:23:08.257 25289 25289 I tflite  : Running benchmark for at least 1 iterations and at least 0.5 seconds but \
terminate if exceeding 150 seconds.
07-14 13:23:08.980 25289 25289 I tflite  : count=3 first=237814 curr=236852 min=236852 max=242195 avg=238954 std=2325 \
p5=236852 median=237814 p95=242195
07-14 13:23:08.980 25289 25289 I tflite  : Running benchmark for at least 25 iterations and at least 1 seconds but \
terminate if exceeding 150 seconds.
07-14 13:23:15.443 25289 25289 I tflite  : count=25 first=243180 curr=227146 min=220934 max=326273 avg=257131 \
std=27081 p5=226088 median=252767 p95=303407
07-14 13:23:15.443 25289 25289 I tflite  : Inference timings in us: Init: 95112, First inference: 237814, Warmup \
(avg): 238954, Inference (avg): 257131
"""

# LiteRT's benchmark_model (September 2025), x86-64: google-ai-edge/LiteRT, build instructions.
LITERT_2025 = """\
INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Num threads: [4]
INFO: [litert/tools/benchmark_litert_model.cc:137] Loading model from: blaze_face_short_range.tflite
WARNING: [litert/runtime/accelerators/auto_registration.cc:46] NPU accelerator could not be loaded and registered: \
kLiteRtStatusErrorInvalidArgument.
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1758455104.504065   62590 accelerator_registry.cc:51] RegisterAccelerator: ptr=0x559f093a7dd0
INFO: The input model file size (MB): 0.229746
INFO: Initialized session in 5.757ms.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
INFO: count=526 first=2125 curr=969 min=910 max=2125 avg=949.861 std=68 p5=915 median=939 p95=990

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
INFO: count=1054 first=1015 curr=942 min=910 max=1102 avg=947.132 std=23 p5=915 median=942 p95=991

INFO: [./litert/tools/benchmark_litert_model.h:72]\x20
========== BENCHMARK RESULTS ==========
INFO: [./litert/tools/benchmark_litert_model.h:73] Model initialization: 5.76 ms
INFO: [./litert/tools/benchmark_litert_model.h:75] Warmup (first):       2.12 ms
INFO: [./litert/tools/benchmark_litert_model.h:77] Warmup (avg):         0.95 ms (526 runs)
INFO: [./litert/tools/benchmark_litert_model.h:79] Inference (avg):      0.95 ms (1054 runs)
INFO: [./litert/tools/benchmark_litert_model.h:83] Inference (min):      0.91 ms
INFO: [./litert/tools/benchmark_litert_model.h:85] Inference (max):      1.10 ms
INFO: [./litert/tools/benchmark_litert_model.h:87] Inference (std):      0.02
INFO: [./litert/tools/benchmark_litert_model.h:94] Throughput:           197.97 MB/s
"""

# The tables of benchmark_model with XNNPACK, from a published log, shortened; the last row is as older builds have it.
PROFILE_2022 = """\
INFO: Profiling Info for Benchmark Initialization:
============================== Run Order ==============================
              [node type]     [first]    [avg ms]         [%]     [cdf%]    [mem KB]   [times called]  [Name]
  ModifyGraphWithDelegate       6.348       6.348     55.640%    55.640%    7148.000                1  ModifyGraph/0
INFO: Operator-wise Profiling Info for Regular Benchmark Runs:
============================== Run Order ==============================
                       [node type]     [first]    [avg ms]      [%]   [cdf%]  [mem KB]   [times called]  [Name]
                          QUANTIZE       0.199       0.203   1.328%   1.328%     0.000                1  \
[tfl.quantize]:0
     Convolution (NHWC, QC8) IGEMM       0.398       0.407   2.658%   3.986%     0.000                1  \
Delegate/Convolution (NHWC, QC8) IGEMM:0
    Convolution (NHWC, QC8) DWConv       0.428       0.051   4.317%   8.304%     0.000               13  \
Delegate/Convolution (NHWC, QC8) DWConv:1
             TfLiteXNNPackDelegate      14.100      14.800  91.696% 100.000%     0.000                1  [Identity]:99
"""

# onnxruntime_perf_test of October 2019: its README of that time, microsoft/onnxruntime pull request 2212.
PERF_TEST_2019 = """\
Total time cost:58.8053
Total iterations:1000
Average time cost:58.8053 ms
Total run time:58.8102 s
Min Latency is 0.0559777sec
Max Latency is 0.0623472sec
P50 Latency is 0.0587108sec
P90 Latency is 0.0599845sec
P95 Latency is 0.0605676sec
P99 Latency is 0.0619517sec
P999 Latency is 0.0623472sec
"""

# ONNX Runtime of January 2020, Windows: microsoft/onnxruntime pull request 2798.
PERF_TEST_2020 = """\
Setting intra_op_num_threads to 0
2020-01-08 11:14:46.9047758 [W:onnxruntime:, graph.cc:2412 onnxruntime::Graph::CleanUnusedInitializers] Removing \
initializer 'gpu_0/imagenet1k_blobs_queue_0'. It is not used by any node and should be removed from the model.
Session creation time cost:1.84149 s
Total inference time cost:0.734606 s
Total inference requests:1
Average inference time cost:734.606 ms
Total inference run time:0.734761 s
"""

# ONNX Runtime of about 2023: a public log, source not kept.
PERF_TEST_2023 = """\
Session creation time cost: 0.0273071 s
First inference time cost: 20 ms
Total inference time cost: 0.14188 s
Total inference requests: 8
Average inference time cost: 17.735 ms
Total inference run time: 0.141991 s
Number of inferences per second: 56.3415\x20
Avg CPU usage: 98 %
Peak working set size: 35299328 bytes
Avg CPU usage:98
Peak working set size:35299328
Runs:8
Min Latency: 0.0159831 s
Max Latency: 0.0232702 s
P50 Latency: 0.0167086 s
P90 Latency: 0.0232702 s
P95 Latency: 0.0232702 s
P99 Latency: 0.0232702 s
P999 Latency: 0.0232702 s
"""

# ONNX Runtime of 2025 on an Arm board, -x 1 -r 5: Arm's learning path on SME2.
PERF_TEST_2025 = """\
Setting intra_op_num_threads to 1
Disabling intra-op thread spinning between runs
Session creation time cost: 0.217932 s
First inference time cost: 196 ms
Total inference time cost: 0.49481 s
Total inference requests: 5
Average inference time cost total: 98.961997 ms
Total inference run time: 0.494854 s
Number of inferences per second: 10.104
Avg CPU usage: 11 %
Peak working set size: 271122432 bytes
Avg CPU usage:11
Peak working set size:271122432
Runs:5
Min Latency: 0.0958204 s
Max Latency: 0.101519 s
P50 Latency: 0.0995086 s
P90 Latency: 0.101519 s
P95 Latency: 0.101519 s
P99 Latency: 0.101519 s
P999 Latency: 0.101519 s
"""

# What benchmark_litert_model.py of ai-edge-litert 2.3.0 wrote on a shared x86-64 computer; the path is shortened.
LITERT_JSON = """\
{
  "model": "/data/m.tflite",
  "model_size_mb": 4.0,
  "accelerators": [
    "CPU"
  ],
  "signature": "<placeholder signature>",
  "fully_accelerated": true,
  "num_threads": 2,
  "latency": {
    "init_ms": 7.57,
    "warmup_first_ms": 1.66,
    "warmup_avg_ms": 0.77,
    "num_warmup_runs": 3,
    "avg_ms": 0.3,
    "min_ms": 0.15,
    "max_ms": 1.63,
    "median_ms": 0.17,
    "std_ms": 0.33,
    "p5_ms": 0.15,
    "p95_ms": 0.58,
    "num_runs": 20
  },
  "throughput_mb_s": 12.96
}"""


# TFLITE_EXPONENTS as it is where no least times were asked for, and the path is absolute.
TFLITE_AS_ASKED = (
    TFLITE_EXPONENTS.replace("at least 0.5 seconds", "at least 0 seconds")
    .replace("at least 1 seconds", "at least 0 seconds")
    .replace("Graph: [./", "Graph: [/")
)
