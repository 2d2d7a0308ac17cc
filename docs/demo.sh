#!/usr/bin/env bash
# Makes docs/sweep.svg: what the README's first command prints, as a picture of a terminal.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release
medalist="${CARGO_TARGET_DIR:-target}/release/medalist"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/submissions"
cp -r competitions "$folder/"
"$medalist" --workspace "$folder" sweep penguins >"$folder/screen" 2>&1
python3 - "$folder/screen" docs/sweep.svg <<'PYTHON'
import html, sys
lines = ["$ medalist sweep penguins"] + open(sys.argv[1]).read().rstrip("\n").split("\n")
width, height = 9 * max(map(len, lines)) + 40, 20 * len(lines) + 60
text = "\n".join(
    f'<text x="20" y="{50 + 20 * n}" fill="{"#8be9fd" if n == 0 else "#e6e6e6"}" xml:space="preserve">{html.escape(line)}</text>'
    for n, line in enumerate(lines)
)
dots = "".join(f'<circle cx="{20 + 18 * n}" cy="18" r="6" fill="{colour}"/>' for n, colour in enumerate(["#ff5f56", "#ffbd2e", "#27c93f"]))
open(sys.argv[2], "w").write(
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="Menlo, Consolas, monospace" font-size="15">'
    f'<rect width="100%" height="100%" rx="10" fill="#1e1f29"/>{dots}\n{text}\n</svg>\n'
)
PYTHON
echo "wrote docs/sweep.svg"
