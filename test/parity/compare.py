"""Compares our numbers with PyTorch's: `compare.py FOLDER`, where run.ts has written them."""

import json
import sys
from pathlib import Path

import torch
from reference import compute
from safetensors.torch import load_file

# Largest error that passes, by quantity.
LIMITS = {
    "logits": 1e-5,
    "loss": 1e-5,
    "distillation loss": 1e-5,
    "gradient": 1e-3,
    "SGD update": 1e-3,
    "velocity": 1e-3,
    "running mean": 1e-5,
    "running variance": 1e-5,
    "logits by running statistics": 1e-5,
    "AdamW update": 1e-4,
    "meta gradient": 5e-3,
    "meta formula": 1e-12,
}

# The gradient of a ReLU jumps at zero: among a million units some lie within float32's rounding of
# it and fall on the other side, in PyTorch's float32 as in ours.
RELU_LIMITS = {"gradient": 3e-2, "SGD update": 3e-2, "velocity": 3e-2}

# A tensor whose true gradient is zero, such as the shift of a batch norm before another one, is
# measured by this part of the largest tensor of its kind.
FLOOR = 1e-3


def error(numbers, reference):
    """The norm of a tensor's difference by the norm of the tensor, the largest over all tensors."""
    least = FLOOR * max(tensor.norm() for tensor in reference.values())
    errors = [
        (numbers[name] - tensor).norm() / max(tensor.norm(), least)
        for name, tensor in reference.items()
    ]
    return max(errors).item()


def by_quantity(tensors):
    found = {}
    for name, tensor in tensors.items():
        quantity, _, part = name.partition("/")
        found.setdefault(quantity, {})[part] = tensor.double().reshape(-1)
    return found


def compare(file):
    """Prints a line for each quantity; how many exceed their limit."""
    case = json.loads(file.read_text())
    arrays = load_file(file.with_suffix(".inputs.safetensors"))
    results = load_file(file.with_suffix(".results.safetensors"))
    exact = compute(case, arrays, results, torch.float64)
    single = by_quantity(compute(case, arrays, results, torch.float32))
    if set(exact) != set(results):
        print("computed by one side only:", sorted(set(exact) ^ set(results)))
        return 1
    ours, failures = by_quantity(results), 0
    is_relu = case["skeleton"]["activation"] == "relu"
    limits = {**LIMITS, **(RELU_LIMITS if is_relu else {})}
    print(f"\n{case['name']:<32} tensors       ours    PyTorch      limit")
    for quantity, reference in by_quantity(exact).items():
        limit = limits[quantity.rstrip("0123456789 ")]
        own, theirs = error(ours[quantity], reference), error(single[quantity], reference)
        verdict = "" if own <= limit else "  TOO FAR"
        failures += own > limit or own != own
        print(f"  {quantity:<30} {len(reference):7} {own:10.1e} {theirs:10.1e} {limit:10.0e}{verdict}")
    return failures


def main():
    torch.set_num_threads(1)  # several threads wait for each other where others need the cores
    files = sorted(Path(sys.argv[1]).glob("*.json"))
    failures = sum(compare(file) for file in files)
    print(f"\n{failures} quantities of {len(files)} networks are too far from PyTorch's")
    sys.exit(1 if failures or not files else 0)


main()
