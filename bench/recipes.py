#!/usr/bin/env python3
"""What each line of [features] gains in cross-validation on Titanic and Spaceship Titanic: the tables of docs/features.md.

    bench/recipes.py DATA PROGRAM [--models gbdt,logistic] [--competitions titanic,spaceship-titanic] [--jobs 2]

DATA is a folder with Kaggle's files, one folder a competition; PROGRAM is the built `medalist`. Each model is at its defaults, on 5 folds drawn 3 times, the same for all rows of a table. `alone` is the line with those that it needs against none of them; `last` is all lines against all but this one and those that need it.
"""

import argparse
import json
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

RECIPES = {
    "titanic": {
        "Title": r'''match(Name, " ([A-Za-z]+)\.")''',
        "Deck": r'''match(Cabin, "^[A-Z]")''',
        "FamilySize": "SibSp + Parch + 1",
        "TicketSize": "count(Ticket)",
        "FareEach": "Fare / TicketSize",
        "Surnames": '''count(split(Name, ",", 1))''',
        "AgeFilled": "coalesce(Age, learned_median(Age, Title))",
    },
    "spaceship-titanic": {
        "Deck": '''split(Cabin, "/", 1)''',
        "CabinNumber": '''split(Cabin, "/", 2)''',
        "Side": '''split(Cabin, "/", 3)''',
        "GroupSize": '''count(split(PassengerId, "_", 1))''',
        "Spent": "coalesce(RoomService, 0) + coalesce(FoodCourt, 0) + coalesce(ShoppingMall, 0) + coalesce(Spa, 0) + coalesce(VRDeck, 0)",
        "LogSpent": "log(1 + Spent)",
        "NothingSpent": "Spent == 0",
        "Surnames": '''count(split(Name, " ", -1))''',
    },
}


def needs(recipes, name):
    """The recipes that one is made of, itself included."""
    found = {name}
    for other in recipes:
        if other != name and re.search(rf"\b{other}\b", recipes[name]):
            found |= needs(recipes, other)
    return found


class Bench:
    def __init__(self, data, program, jobs):
        self.data, self.program, self.jobs = Path(data), program, jobs
        self.folder = tempfile.TemporaryDirectory()
        self.run("init", self.folder.name)

    def run(self, *arguments):
        command = [self.program, *arguments]
        if arguments[0] != "init":
            command += ["--workspace", self.folder.name]
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode != 0:
            raise SystemExit(f"{' '.join(command)}\n{ran.stderr}")
        return ran.stdout

    def prepare(self, slug):
        self.run("new", "competition", slug, "--dir", str(self.data / slug), "--metric", "accuracy", "--folds", "5")
        self.file = Path(self.folder.name) / "competitions" / slug / "competition.toml"
        self.plain = re.sub(r"repeats = \d+", "repeats = 3", self.file.read_text())
        self.known = {}

    def scores(self, slug, model, recipes):
        """The accuracy in each of the 15 folds."""
        key = (model, tuple(sorted(recipes)))
        if key not in self.known:
            lines = "".join(f"{name} = '''{text}'''\n" for name, text in sorted(recipes.items()))
            self.file.write_text(self.plain + "\n[features]\n" + lines)
            study = f"{slug}-{model}-{len(self.known)}"
            self.run(
                "sweep", slug, "--models", model, "--trials", "1", "--looks", "1", "--jobs", str(self.jobs),
                "--study", study, "--no-submission", "--output", "json",
            )
            trial = json.loads(self.run("show", f"{study}/0", "--output", "json"))["trial"]
            self.known[key] = [fold["score"] for fold in trial["folds"]]
        return self.known[key]


def gain(better, worse):
    """The mean of the differences in points, and its standard error over the folds, corrected for their overlap (Nadeau and Bengio, Machine Learning 52, 2003)."""
    differences = [100 * (a - b) for a, b in zip(better, worse)]
    n = len(differences)
    error = statistics.stdev(differences) * (1 / n + 1 / 4) ** 0.5
    return f"{statistics.mean(differences):+.2f} ± {error:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("program")
    parser.add_argument("--models", default="gbdt,logistic")
    parser.add_argument("--competitions", default=",".join(RECIPES))
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    models = arguments.models.split(",")
    bench = Bench(arguments.data, arguments.program, arguments.jobs)
    for slug in arguments.competitions.split(","):
        recipes = RECIPES[slug]
        bench.prepare(slug)
        print(f"\n## {slug}\n")
        print("| line | " + " | ".join(f"{model}, alone | {model}, last" for model in models) + " |")
        print("|---|" + "---|---|" * len(models))
        for name, text in recipes.items():
            alone = {other: recipes[other] for other in needs(recipes, name)}
            before = {other: text for other, text in alone.items() if other != name}
            rest = {other: recipes[other] for other in recipes if name not in needs(recipes, other)}
            cells = []
            for model in models:
                cells.append(gain(bench.scores(slug, model, alone), bench.scores(slug, model, before)))
                cells.append(gain(bench.scores(slug, model, recipes), bench.scores(slug, model, rest)))
            print(f"| `{name} = '{text}'` | " + " | ".join(cells) + " |", flush=True)
        cells = []
        for model in models:
            none, all_lines = bench.scores(slug, model, {}), bench.scores(slug, model, recipes)
            cells += [f"{100 * statistics.mean(none):.2f} to {100 * statistics.mean(all_lines):.2f}", gain(all_lines, none)]
        print("| all lines | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
