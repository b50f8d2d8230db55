"""The tables of a run, as Markdown, HTML and JSON, and the figure as SVG."""

import html
import json
import statistics

# Published figures, arXiv 2504.03140: speed-up and PSNR on HunyuanVideo (Tables 1, 3, 4) and Wan2.1.
PUBLISHED = {
    "hunyuan_video": {
        "teacache-slow": (1.66, 21.91), "teacache-fast": (2.31, 21.60),
        "background-stepwise": (1.87, 26.44), "background-inverse": (None, 24.49),
        "background-average": (1.89, 25.22), "foreground-stepwise": (1.57, 24.23),
        "foreground-inverse": (1.59, 24.80), "foreground-average": (1.60, 25.10),
        "split": (1.65, 23.83), "alternate": (1.65, 23.46)},
    "wan_video": {"teacache-fast": (2.00, 16.17), "background-stepwise": (2.01, 22.02)},
}

TABLES = [
    ("Tables 1 and 2: the method and TeaCache",
     ["baseline", "teacache-slow", "teacache-fast", "background-stepwise", "profiled"]),
    ("Table 3: which blocks are cached",
     ["background-stepwise", "foreground-stepwise", "foreground-as-many", "split", "alternate"]),
    ("Table 4: how refreshes are spaced",
     ["background-stepwise", "background-inverse", "background-average", "foreground-stepwise",
      "foreground-inverse", "foreground-average"]),
    ("Eq. 10: deltas accumulated or overwritten", ["background-stepwise", "eq-10-accumulated"]),
]

TITLES = ["method", "computed", "speed-up by the clock", "PSNR (dB)", "min", "SSIM", "published"]


def number(value, form, missing=""):
    return missing if value is None else form.format(value)


def row(method, published):
    psnr, ssim, computed = method.get("psnr_db"), method.get("ssim"), method.get("computed")
    speed, decibels = published.get(method["name"], (None, None))
    claims = [number(speed, "{:.2f}x"), number(decibels, "{:.2f} dB")]
    return [
        method["name"], number(computed and 100 * computed, "{:.1f} %"),
        number(method.get("speedup"), "{:.2f}x"),
        f"{psnr['mean']:.2f} ± {psnr['deviation']:.2f}" if psnr else "",
        number(psnr and psnr["minimum"], "{:.2f}"), number(ssim and ssim["mean"], "{:.4f}"),
        ", ".join(claim for claim in claims if claim)]


def tables(result):
    """The paper's tables for one model: title, column titles, rows."""
    methods = {method["name"]: method for method in result["evaluation"]["methods"]}
    published = PUBLISHED.get(result["model"], {})
    found = []
    for title, names in TABLES:
        rows = [row(methods[name], published) for name in names if name in methods]
        found.append((title, TITLES, rows))
    systems = [methods[name] for name in result["systems"] if name in methods]
    systems.sort(key=lambda method: -method["psnr_db"]["mean"])
    found.append((
        "All systems near a speed-up of 2 by FLOPs, the best first", TITLES,
        [row(method, published) for method in systems]))
    found.append(objects(methods.values()))
    return [table for table in found if table[2]]


def objects(methods):
    """§4.6: the same figures for prompts of one shape and of two."""
    rows = []
    for method in methods:
        parts = {1: [], 2: []}
        for run in method["runs"]:
            if run.get("psnr_db") is not None:
                parts[2 if "second:" in (run.get("prompt") or "") else 1].append(run["psnr_db"])
        if all(parts.values()):
            rows.append([method["name"]] + [
                f"{statistics.mean(values):.2f} ± {statistics.pstdev(values):.2f}"
                for values in parts.values()])
    return "§4.6: PSNR of one object and of two", ["method", "one object", "two objects"], rows


def markdown_table(titles, rows):
    lines = ["| " + " | ".join(titles) + " |", "|---" + "|---:" * (len(titles) - 1) + "|"]
    return lines + ["| " + " | ".join(cells) + " |" for cells in rows]


def facts(result):
    setting = result["evaluation"]["setting"]
    runs = len(setting["prompts"]) * len(setting["seeds"])
    background = result["profile"]["background"]
    thresholds = ", ".join(
        f"{name} {found['threshold']:.4g}" for name, found in result["thresholds"].items()
        if found["threshold"] is not None)
    return (
        f"{runs} runs ({len(setting['prompts'])} held-out prompts, seeds "
        f"{', '.join(map(str, setting['seeds']))}) of {setting['steps']} steps on "
        f"{setting['threads']} threads. Background, by `ditcache profile`: {background} of "
        f"{result['blocks']} blocks. Thresholds, by `ditcache tune`: {thresholds}." + "".join(
            f" Refused: {name} ({reason})." for name, reason in result["refused"].items()))


WIDTH, HEIGHT, LEFT, RIGHT = 1000, 440, 46, 120


def chart(result):
    """Speed-up by FLOPs, which a busy machine does not disturb, against PSNR."""
    methods = [method for method in result["evaluation"]["methods"] if method.get("psnr_db")]
    xs = [min(1 / method["computed"], 8) for method in methods]
    ys = [method["psnr_db"]["mean"] for method in methods]
    low, high, most = min(ys) - 1, max(ys) + 1, max(xs) * 1.02
    bottom = HEIGHT - 50

    def at(x, y):
        return (LEFT + (WIDTH - LEFT - RIGHT) * (x - 1) / max(most - 1, 0.1),
                bottom - (bottom - 40) * (y - low) / (high - low))

    parts = [f'<text x="{LEFT}" y="20" font-weight="600">{result["model"]}</text>']
    for tick in range(int(low // 5 + 1) * 5, int(high) + 1, 5):
        y = at(1, tick)[1]
        parts.append(
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - 20}" stroke="#8884"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick}</text>')
    unit = 0.5 if most < 4 else 1
    for tick in (1 + unit * part for part in range(int((most - 1) / unit) + 1)):
        parts.append(
            f'<text x="{at(tick, low)[0]:.1f}" y="{bottom + 18}" text-anchor="middle">'
            f'{tick:g}×</text>')
    spots = [(*at(x, y), method["name"]) for method, x, y in zip(methods, xs, ys)]
    for x, y, name in spots:
        own = name == "tuned" or name.startswith(("background", "profiled"))
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{"#e4572e" if own else "#2f6fed"}"/>')
    parts += labels(spots)
    parts.append(
        f'<text x="{WIDTH - 20}" y="{bottom + 38}" text-anchor="end">speed-up by FLOPs; PSNR in dB '
        f'to the left</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'font-family="system-ui, sans-serif" font-size="11.5"><rect width="{WIDTH}" '
        f'height="{HEIGHT}" fill="white"/>{"".join(parts)}</svg>')


def labels(spots):
    """Names beside dots, moved up or down where they would lie on others, then with a line."""
    parts, taken = [], [(x - 4, y - 4, x + 4, y + 4) for x, y, _ in spots]
    for x, y, name in sorted(spots, key=lambda spot: (spot[1], spot[0])):
        for shift in sorted(range(-160, 161, 10), key=abs):
            reach = 8 if shift == 0 else 18
            box = (x + reach, y + shift - 5, x + reach + 5.4 * len(name), y + shift + 4)
            if not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3]
                       for b in taken):
                break
        taken.append(box)
        if shift:
            parts.append(
                f'<path d="M{x + 4:.1f} {y:.1f}L{x + reach - 2:.1f} {y + shift:.1f}" '
                f'stroke="#888a" stroke-width="0.7"/>')
        parts.append(
            f'<text x="{x + reach:.1f}" y="{y + shift + 3.5:.1f}" font-size="9.5">{name}</text>')
    return parts


STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:40px auto;padding:0 24px}
table{border-collapse:collapse;margin:12px 0 28px;font-variant-numeric:tabular-nums}
th,td{padding:6px 12px;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}"""


def write(folder, results, minutes):
    """Writes report.md, report.html, report.json and a figure for each model, NAME.svg."""
    lines = [
        "# The paper's tables on the example models", "",
        "The checkpoints of the paper, HunyuanVideo and Wan2.1, were not run here: these are the small "
        f"trained models of `examples/models`. {minutes:.0f} minutes in all."]
    body = [
        "<h1>The paper's tables on the example models</h1>", f"<p>{html.escape(lines[2])}</p>"]
    for result in results:
        told, figure, name = facts(result), chart(result), result["model"]
        (folder / f"{name}.svg").write_text(figure + "\n")
        lines += ["", f"## {name} ({result['paper']})", "", told, "", f"![{name}]({name}.svg)"]
        body += [f"<h2>{html.escape(name)}</h2>", f"<p>{html.escape(told)}</p>", figure]
        for title, titles, rows in tables(result):
            lines += ["", f"### {title}", ""] + markdown_table(titles, rows)
            cells = "".join(
                "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in own) + "</tr>"
                for own in rows)
            heads = "".join(f"<th>{html.escape(own)}</th>" for own in titles)
            body.append(f"<h3>{html.escape(title)}</h3><table><tr>{heads}</tr>{cells}</table>")
    (folder / "report.md").write_text("\n".join(lines) + "\n")
    (folder / "report.html").write_text(
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>The paper\'s tables</title>'
        f"<style>{STYLE}</style>" + "\n".join(body) + "</html>\n")
    (folder / "report.json").write_text(
        json.dumps({"schema": 1, "models": results}, indent=1) + "\n")
