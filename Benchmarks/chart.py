"""The chart of a benchmark: what each proxy's CPU time a request is to nginx's."""


def draw(results, titles, proxies, path):
    """Writes a PNG; false where matplotlib is missing."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    cases = [case for case, by_name in results["load"].items() if "nginx" in by_name]
    names = [name for name in proxies if any(name in results["load"][case] for case in cases)]
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.9 * len(cases)), layout="constrained")
    height = 0.8 / max(1, len(names))
    for place, name in enumerate(names):
        ratios = []
        for case in cases:
            by_name = results["load"][case]
            run = by_name.get(name)
            ratios.append(run["total_us"] / by_name["nginx"]["total_us"] if run else 0)
        rows = [row + place * height for row in range(len(cases))]
        bars = axes.barh(rows, ratios, height * 0.9, label=proxies[name])
        axes.bar_label(bars, [f"{ratio:.2f}" if ratio else "" for ratio in ratios], fontsize=8)
    middle = height * (len(names) - 1) / 2
    axes.set_yticks([row + middle for row in range(len(cases))], [titles[case] for case in cases])
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel("CPU time a request, nginx = 1 (less is better)")
    axes.set_title(f"Lychgate beside other proxies, {results['date']}")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)
    return True
