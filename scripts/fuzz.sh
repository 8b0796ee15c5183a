#!/bin/sh
# Fuzzes every decoder that has a Fuzz/TARGET.swift with LLVMFuzzerTestOneInput: that file and the
# sources of the (pure) target become one program with libFuzzer and the address sanitizer.
set -eu

seconds=$1
found=
for harness in Fuzz/*.swift; do
    [ -e "$harness" ] || continue
    found=yes
    target=$(basename "$harness" .swift)
    made=.build/fuzz/$target
    mkdir -p "$made/corpus"
    swiftc -O -swift-version 6 -parse-as-library -sanitize=fuzzer,address \
        -module-name "Fuzz$target" "Sources/$target"/*.swift "$harness" -o "$made/fuzz"
    echo "fuzzing $target for $seconds s"
    "$made/fuzz" -max_total_time="$seconds" -artifact_prefix="$made/" "$made/corpus"
done
[ -n "$found" ] || { echo "nothing to fuzz: Fuzz/ has no file" >&2; exit 1; }
