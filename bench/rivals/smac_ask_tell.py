"""SMAC3 behind the lines of `medalist ask-tell`, so that one script measures both: see bench/search."""

import json
import logging
import sys
import tempfile

from ConfigSpace import Categorical, ConfigurationSpace, Float, InCondition, Integer
from smac import BlackBoxFacade, HyperparameterOptimizationFacade, Scenario
from smac.runhistory.dataclasses import TrialInfo, TrialValue

logging.disable(logging.CRITICAL)


def space_of(parameters, seed):
    space = ConfigurationSpace(seed=seed)
    for p in parameters:
        if p["type"] == "float":
            hyper = Float(p["name"], (p["low"], p["high"]), log=p.get("log", False))
        elif p["type"] == "int":
            hyper = Integer(p["name"], (p["low"], p["high"]), log=p.get("log", False))
        else:
            hyper = Categorical(p["name"], [json.dumps(c) for c in p["choices"]])
        space.add(hyper)
    kinds = {p["name"]: p["type"] for p in parameters}
    for p in parameters:
        when = p.get("when")
        if when:
            values = [json.dumps(v) if kinds[when["param"]] == "categorical" else v for v in when["in"]]
            space.add(InCondition(space[p["name"]], space[when["param"]], values))
    return space, kinds


def main():
    study = json.loads(sys.stdin.readline())
    seed = study.get("seed", 0)
    space, kinds = space_of(study["space"], seed)
    conditional = any("when" in p for p in study["space"])
    facade = HyperparameterOptimizationFacade if conditional or "--forest" in sys.argv else BlackBoxFacade
    scenario = Scenario(
        space, deterministic=True, n_trials=study.get("trials") or 1000, seed=seed, output_directory=tempfile.mkdtemp()
    )
    smac = facade(scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=False)
    sign = 1.0 if study.get("direction", "minimize") == "minimize" else -1.0
    asked, best = [], None
    for line in sys.stdin:
        message = json.loads(line)
        if message["op"] == "ask":
            info = smac.ask()
            asked.append(info)
            params = {k: json.loads(v) if kinds[k] == "categorical" else v for k, v in dict(info.config).items()}
            params = {k: v.item() if hasattr(v, "item") else v for k, v in params.items()}
            print(json.dumps({"number": len(asked) - 1, "params": params}), flush=True)
        elif message["op"] == "tell":
            values = message.get("values") or ([message["value"]] if "value" in message else [1e9])
            cost = sign * sum(values) / len(values)
            smac.tell(asked[message["number"]], TrialValue(cost=cost))
            if best is None or cost < best[0]:
                best = (cost, message["number"])
        else:
            print(json.dumps({"number": best and best[1]}), flush=True)


main()
