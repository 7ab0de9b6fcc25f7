#!/usr/bin/env bash
# Fuzzes the parsers of HTTP1 with libFuzzer and AddressSanitizer.
#
#   Tests/Fuzz/run.sh SECONDS [TARGET ...]     targets: request response content (all by default)
#
# Corpora are kept in .build-fuzz/corpus; an input that fails is left in .build-fuzz/failures.
# SwiftPM has no fuzzing, so the few modules are compiled here, with the settings of Package.swift.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:?usage: run.sh SECONDS [TARGET ...]}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(request response content)

out=.build-fuzz
mkdir -p "$out/CMemory" "$out/failures"
swift_bin=$(dirname "$(readlink -f "$(command -v swiftc)")")

flags=(
    -O -g -swift-version 6 -parse-as-library -strict-memory-safety -warnings-as-errors
    -enable-upcoming-feature ExistentialAny
    -enable-upcoming-feature InternalImportsByDefault
    -enable-upcoming-feature MemberImportVisibility
    -I "$out" -Xcc "-fmodule-map-file=$out/CMemory/module.modulemap"
)

cat > "$out/CMemory/module.modulemap" <<MAP
module CMemory { umbrella header "$PWD/Sources/CLibraries/CMemory/include/CMemory.h" export * }
MAP
"$swift_bin/clang" -O1 -g -fsanitize=address -I Sources/CLibraries/CMemory/include \
    -c Sources/CLibraries/CMemory/CMemory.c -o "$out/CMemory.o"

module() {
    local name=$1
    shift
    swiftc "${flags[@]}" "$@" -sanitize=fuzzer,address -wmo -module-name "$name" \
        -emit-module -emit-module-path "$out/$name.swiftmodule" \
        -c Sources/"$name"/*.swift -o "$out/$name.o"
}
module Memory -enable-experimental-feature Lifetimes
module HTTPModel
module HTTP1
swiftc "${flags[@]}" -sanitize=fuzzer,address -wmo -module-name Fuzz -use-ld=lld \
    Tests/Fuzz/Fuzz.swift "$out"/{HTTP1,HTTPModel,Memory,CMemory}.o -o "$out/fuzz"

for target in "${targets[@]}"; do
    echo "== $target, ${seconds} s"
    corpus=$out/corpus/$target
    mkdir -p "$corpus"
    # The byte before the message chooses limits, method or framing.
    number=0
    while IFS= read -r line; do
        printf '%b' "\\0000$line" > "$corpus/seed-$((number += 1))"
    done < "Tests/Fuzz/seeds-$target.txt"
    # Without its own back-trace: that waits for ever for a process that libFuzzer holds.
    FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 "$out/fuzz" \
        -max_total_time="$seconds" -max_len=1024 -timeout=10 -dict=Tests/Fuzz/http.dict \
        -artifact_prefix="$out/failures/$target-" -print_final_stats=1 -verbosity=0 \
        "$corpus"
done
