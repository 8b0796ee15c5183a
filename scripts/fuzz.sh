#!/bin/sh
# Fuzzes every decoder that has a Fuzz/TARGET.swift with LLVMFuzzerTestOneInput: that file and the
# sources of the (pure) target become one program with libFuzzer and the address sanitizer. Pure
# targets that it imports are named in its first line: `// needs: TARGET`. What Fuzz/corpus/TARGET
# holds is where it begins.
set -eu

seconds=$1
found=
for harness in Fuzz/*.swift; do
    [ -e "$harness" ] || continue
    found=yes
    target=$(basename "$harness" .swift)
    made=.build/fuzz/$target
    mkdir -p "$made/corpus" "$made/modules"
    objects=
    for needed in $(sed -n '1s|^// needs: ||p' "$harness"); do
        swiftc -O -swift-version 6 -parse-as-library -sanitize=fuzzer,address -wmo \
            -enable-upcoming-feature InternalImportsByDefault \
            -module-name "$needed" -emit-module \
            -emit-module-path "$made/modules/$needed.swiftmodule" \
            -c "Sources/$needed"/*.swift -o "$made/modules/$needed.o"
        objects="$objects $made/modules/$needed.o"
    done
    # shellcheck disable=SC2086 # object files have no spaces in their names
    swiftc -O -swift-version 6 -parse-as-library -sanitize=fuzzer,address \
        -enable-upcoming-feature InternalImportsByDefault -I "$made/modules" \
        -module-name "Fuzz$target" "Sources/$target"/*.swift "$harness" $objects -o "$made/fuzz"
    seeds=
    [ -d "Fuzz/corpus/$target" ] && seeds="Fuzz/corpus/$target"
    echo "fuzzing $target for $seconds s"
    # shellcheck disable=SC2086 # nothing, or one name
    "$made/fuzz" -max_total_time="$seconds" -artifact_prefix="$made/" "$made/corpus" $seeds
done
[ -n "$found" ] || { echo "nothing to fuzz: Fuzz/ has no file" >&2; exit 1; }
