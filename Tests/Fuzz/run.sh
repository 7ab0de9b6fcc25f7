#!/usr/bin/env bash
# Fuzzes the parsers of HTTP1 and of metrics, and whole connections of a worker, with libFuzzer and
# AddressSanitizer.
#
#   Tests/Fuzz/run.sh SECONDS [TARGET ...]
#
# Targets are request, response, content, frames, metric and connection; all by default. Corpora
# are kept in .build-fuzz/corpus; an input that fails is left in .build-fuzz/failures.
# SwiftPM has no fuzzing, so the modules are compiled here, with the settings of Package.swift.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:?usage: run.sh SECONDS [TARGET ...]}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(request response content frames metric connection)

out=.build-fuzz
mkdir -p "$out/failures"
swift_bin=$(dirname "$(readlink -f "$(command -v swiftc)")")

flags=(
    -O -g -swift-version 6 -parse-as-library -strict-memory-safety -warnings-as-errors
    -enable-upcoming-feature ExistentialAny
    -enable-upcoming-feature InternalImportsByDefault
    -enable-upcoming-feature MemberImportVisibility
    -I "$out"
)
objects=()

c_module() {
    local name=$1 headers=$PWD/Sources/CLibraries/$1/include
    mkdir -p "$out/$name"
    echo "module $name { umbrella header \"$headers/$name.h\" export * }" \
        > "$out/$name/module.modulemap"
    flags+=(-Xcc "-fmodule-map-file=$out/$name/module.modulemap")
    "$swift_bin/clang" -O1 -g -fsanitize=address -I "$headers" \
        -c "Sources/CLibraries/$name/$name.c" -o "$out/$name.o"
    objects+=("$out/$name.o")
}

module() {
    local name=$1 sources
    shift
    mapfile -t sources < <(find "Sources/$name" -name '*.swift')
    # What the package manager makes of resources that are built in.
    if [ "$name" = Exchange ]; then
        {
            echo 'struct PackageResources { static let guard_js: [UInt8] = ['
            od -An -v -tu1 Sources/Exchange/Browser/guard.js | sed -E 's/([0-9]+)/\1,/g'
            echo ']}'
        } > "$out/resources.swift"
        sources+=("$out/resources.swift")
    fi
    swiftc "${flags[@]}" "$@" -sanitize=fuzzer,address -wmo -module-name "$name" \
        -emit-module -emit-module-path "$out/$name.swiftmodule" -c "${sources[@]}" -o "$out/$name.o"
    objects+=("$out/$name.o")
}

# The fuzzer itself, of the files named and what has been compiled so far.
fuzzer() {
    local binary=$1
    shift
    # Debug information needs the module, which would else be left in the working directory.
    swiftc "${flags[@]}" -sanitize=fuzzer,address -wmo -module-name Fuzz -use-ld=lld \
        -emit-executable -emit-module -emit-module-path "$out/Fuzz.swiftmodule" \
        "$@" "${objects[@]}" -o "$out/$binary"
}

fuzz() {
    local binary=$1 target=$2 corpus=$out/corpus/$2 number=0
    shift 2
    echo "== $target, ${seconds} s"
    mkdir -p "$corpus"
    # The byte before the message chooses limits, method or framing; for a conversation it chooses
    # the configuration.
    local choices=(0)
    if [ "$target" = connection ]; then choices=(0 1 2 3); fi
    while IFS= read -r line; do
        number=$((number + 1))
        for choice in "${choices[@]}"; do
            printf '%b' "\\000$choice$line" > "$corpus/seed-$number-$choice"
        done
    done < "Tests/Fuzz/seeds-$target.txt"
    # Without its own back-trace: that waits for ever for a process that libFuzzer holds. Long
    # traces of allocations would cost an eighth of the time.
    FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no \
        ASAN_OPTIONS=detect_leaks=0:malloc_context_size=3 "$out/$binary" \
        -max_total_time="$seconds" -timeout=10 -dict=Tests/Fuzz/http.dict \
        -artifact_prefix="$out/failures/$target-" -print_final_stats=1 -verbosity=0 \
        "$@" "$corpus"
}

c_module CMemory
module Memory -enable-experimental-feature Lifetimes
module HTTPModel
module HTTP1
for name in Time Settings Instances; do module $name; done
fuzzer fuzz Tests/Fuzz/{Fuzz,Parsers,Frames,Metrics,ParserTargets}.swift

for target in "${targets[@]}"; do
    if [ "$target" != connection ]; then
        fuzz fuzz "$target" -max_len=1024
        continue
    fi
    # Nearly the whole of the proxy, which takes its time to compile.
    for name in CLinux COpenSSL CCurl CJansson; do c_module $name; done
    for name in Sessions Pool Exchange Linux EventLoop TLS JSON \
        HealthClient; do
        module $name
    done
    module Proxy -enable-testing
    fuzzer fuzz-connection -lcurl -ljansson -lssl -lcrypto Tests/Fuzz/{Fuzz,Connection*}.swift
    # Where the sockets are.
    TMPDIR=$(mktemp -d)
    export TMPDIR
    trap 'rm -rf "$TMPDIR"' EXIT
    fuzz fuzz-connection connection -max_len=2048
done
