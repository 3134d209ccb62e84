"""What our program computed of one path, computed again by PyTorch."""

import torch
from network import Supernet, not_recording
from torch.func import functional_call
from torch.nn import functional as F


def load(case, arrays, dtype):
    """The net with our initial weights and running statistics."""
    net = Supernet(case["skeleton"], [case["student"], case["teacher"]]).to(dtype)
    with torch.no_grad():
        for name, parameter, axes in net.named_tensors():
            parameter.permute(axes).copy_(arrays[f"value/{name}"])
        for norm in net.batch_norms():
            norm.running_mean.copy_(arrays[f"mean/{norm.name}"])
            norm.running_var.copy_(arrays[f"variance/{norm.name}"])
    return net


def images_of(arrays, name, dtype):
    return arrays[name].to(dtype).permute(0, 3, 1, 2)


def groups(parameters, weight_decay):
    """Weight decay is for tensors of two and more axes."""
    decayed = [p for p in parameters if p.ndim >= 2]
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0},
    ]


def losses(net, images, labels, case):
    """Logits of the student, cross-entropy to the smoothed labels and to the teacher."""
    with torch.no_grad(), not_recording():
        lesson = F.softmax(net(images, case["teacher"]), 1)
    logits = net(images, case["student"])
    return logits, *label_and_teacher_loss(logits, labels, lesson, case["settings"])


def label_and_teacher_loss(logits, labels, lesson, settings):
    smoothing = settings["labelSmoothing"]
    ce = F.cross_entropy(logits, torch.tensor(labels), label_smoothing=smoothing)
    return ce, F.cross_entropy(logits, lesson)


def combined(rho, kd, ce):
    return (rho * kd + (2 - rho) * ce) / 2


def training(case, arrays, ours, dtype):
    """
    Two steps of SGD, the second one with a teacher, then a pass with the running statistics. Each
    starts from our weights: a rounding in one shall not be seen in the next.
    """
    net, settings, results = load(case, arrays, dtype), case["settings"], {}
    tensors = list(net.named_tensors())
    optimizer = torch.optim.SGD(
        groups([parameter for _, parameter, _ in tensors], settings["weightDecay"]),
        lr=settings["lr"],
        momentum=settings["momentum"],
        nesterov=True,
    )
    for step, labels in enumerate(case["labels"]):
        optimizer.zero_grad()
        images = images_of(arrays, f"images {step}", dtype)
        logits, ce, kd = losses(net, images, labels, case)
        loss = ce if step == 0 else combined(settings["rho"], kd, ce)
        loss.backward()
        results[f"logits {step}"] = logits.detach()
        results[f"loss {step}"] = loss.detach()
        if step > 0:
            results[f"distillation loss {step}"] = kd.detach()
        trained = [each for each in tensors if each[1].grad is not None]
        for name, parameter, axes in trained:
            results[f"gradient {step}/{name}"] = parameter.grad.permute(axes).clone()
        before = {name: parameter.detach().clone() for name, parameter, _ in trained}
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), settings["clipNorm"])
        assert norm > settings["clipNorm"], "the gradient is to be clipped"
        optimizer.step()
        for name, parameter, axes in trained:
            velocity = optimizer.state[parameter]["momentum_buffer"]
            start, change = before[name].permute(axes), f"SGD update {step}/{name}"
            results[change] = parameter.detach().permute(axes) - start
            results[f"velocity {step}/{name}"] = velocity.permute(axes).clone()
            with torch.no_grad():
                parameter.permute(axes).copy_(start + ours[change])
                velocity.permute(axes).copy_(ours[f"velocity {step}/{name}"])
    for norm in net.batch_norms():
        if norm.num_batches_tracked > 0:
            results[f"running mean/{norm.name}"] = norm.running_mean
            results[f"running variance/{norm.name}"] = norm.running_var
    net.eval()
    with torch.no_grad():
        images = images_of(arrays, "images 0", dtype)
        results["logits by running statistics"] = net(images, case["student"])
    return results


def adam_updates(case, arrays, ours, dtype):
    """Two steps of AdamW along our gradients: its update of a gradient of zero is the sign of noise."""
    net, settings, results = load(case, arrays, dtype), case["settings"], {}
    tensors = [each for each in net.named_tensors() if f"gradient 0/{each[0]}" in ours]
    optimizer = torch.optim.AdamW(
        groups([parameter for _, parameter, _ in tensors], settings["weightDecay"]),
        lr=settings["adamLr"],
        betas=(settings["beta1"], settings["beta2"]),
    )
    for step in range(len(case["labels"])):
        before = {name: parameter.detach().clone() for name, parameter, _ in tensors}
        for name, parameter, axes in tensors:
            parameter.grad = torch.empty_like(parameter)
            parameter.grad.permute(axes).copy_(ours[f"gradient {step}/{name}"])
        optimizer.step()
        for name, parameter, axes in tensors:
            change = (parameter.detach() - before[name]).permute(axes)
            results[f"AdamW update {step}/{name}"] = change
    return results


def matching_degree(score, bound):
    """sigmoid of a score that is kept within a bound."""
    return torch.sigmoid(bound * torch.tanh(score / bound))


def meta_gradient(case, arrays, dtype):
    """d J / d (w, b) by backpropagation through the gradient of the virtual step."""
    net, meta = load(case, arrays, dtype), case["meta"]
    theta = {name: p.detach().requires_grad_() for name, p in net.named_parameters()}
    weight = arrays["meta weight"].to(dtype).requires_grad_()
    bias = torch.tensor(meta["bias"], dtype=dtype, requires_grad=True)

    def logits_of(values, images):
        return functional_call(net, values, (images_of(arrays, images, dtype), case["student"]))

    with not_recording():
        images = images_of(arrays, "meta training", dtype)
        lesson = F.softmax(net(images, case["teacher"]), 1).detach()
        logits = logits_of(theta, "meta training")
        ce, kd = label_and_teacher_loss(logits, meta["trainingLabels"], lesson, case["settings"])
        outputs = F.softmax(logits_of(theta, "meta probes"), 1)
        difference = outputs.reshape(-1) - arrays["meta stored"].to(dtype)
        rho = matching_degree(weight @ (difference / difference.norm()) + bias, meta["bound"])
        gradients = torch.autograd.grad(
            combined(rho, kd, ce), list(theta.values()), create_graph=True, materialize_grads=True
        )
        stepped = {name: p - meta["xi"] * g for (name, p), g in zip(theta.items(), gradients)}
        validation = logits_of(stepped, "meta validation")
        objective = F.cross_entropy(validation, torch.tensor(meta["validationLabels"]))
        slope = torch.autograd.grad(objective, [weight, bias])
    return {"meta gradient": torch.cat([slope[0], slope[1].reshape(1)])}


def meta_formula(case, arrays):
    """-xi (grad l(plus) - grad l(minus)) / (2 epsilon) by (w, b) at two given points, in float64."""
    meta = case["meta"]
    weight = arrays["meta weight"].requires_grad_()
    bias = torch.tensor(meta["bias"], dtype=torch.float64, requires_grad=True)

    def loss_at(side):
        point = meta["stencil"][side]
        rho = matching_degree(weight @ arrays[f"stencil {side}"] + bias, meta["bound"])
        return combined(rho, point["kd"], point["ce"])

    change = (loss_at("plus") - loss_at("minus")) / (2 * meta["stencil"]["epsilon"])
    slope = torch.autograd.grad(-meta["xi"] * change, [weight, bias])
    return {"meta formula": torch.cat([slope[0], slope[1].reshape(1)])}


def compute(case, arrays, ours, dtype):
    """All quantities by name, in our layout."""
    return {
        **training(case, arrays, ours, dtype),
        **adam_updates(case, arrays, ours, dtype),
        **meta_gradient(case, arrays, dtype),
        **meta_formula(case, arrays),
    }
