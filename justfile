# The commands that a developer types; `just` lists them.

default:
    @just --list

# Everything CI runs
ci:
    bash .ci/run

# All tests
test:
    cargo test --workspace

# The search crate alone: seconds, not minutes
quick:
    cargo test -p medalist-search

fmt:
    cargo fmt --all
    rustfmt --edition 2024 $(find src/models src/metrics src/transforms -name '*.rs')

lint:
    cargo clippy --workspace --all-targets -- -D warnings

doc:
    cargo doc --workspace --no-deps --open

# Medalist beside scikit-learn; DATA is the folder with the benchmark's data and baselines
bench DATA:
    bash bench/run {{DATA}}

# The picture of a terminal in the README
demo:
    bash docs/demo.sh
