// Draws [data-chart] from the description of apps.ui.charts.Chart. Loaded only on pages that have charts.
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, GridComponent, LegendComponent, LineChart, MarkLineComponent, SVGRenderer, TooltipComponent]);

const drawn = new Map();

// Custom properties hold light-dark() expressions; only a real element can say what they come to.
function color(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  const numbers = value.match(/color\(srgb ([\d.]+) ([\d.]+) ([\d.]+)/);
  return numbers ? `rgb(${numbers.slice(1, 4).map((part) => Math.round(part * 255)).join(",")})` : value;
}

function look() {
  const names = ["ink", "ink-2", "ink-3", "line", "raised", "ok-solid", "attention-solid", "failing-solid", "idle-solid", "info-solid"];
  const look = Object.fromEntries(names.map((name) => [name, color(`--ui-${name}`)]));
  // Colors of states come last: a series without a tone is not good or bad.
  look.palette = [color("--tblr-link-color"), look["idle-solid"], look["info-solid"], look["ok-solid"], look["attention-solid"]];
  return look;
}

// "EUR" and its like are money, everything else is a number with its unit.
function said(value, unit, digits) {
  const lang = document.documentElement.lang;
  if (/^[A-Z]{3}$/.test(unit)) return value.toLocaleString(lang, { style: "currency", currency: unit, minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${value.toLocaleString(lang)} ${unit}`.trim();
}

function seriesOption(series, index, data, colors) {
  const paint = series.tone ? colors[`${series.tone}-solid`] : colors.palette[index % colors.palette.length];
  const common = { name: series.name, data: series.values, color: paint, stack: series.stack || undefined, emphasis: { focus: "none" } };
  if (series.kind === "bar") return { ...common, type: "bar", barMaxWidth: 22, itemStyle: { borderRadius: series.stack ? 0 : [3, 3, 0, 0] } };
  return {
    ...common,
    type: "line",
    showSymbol: data.labels.length === 1,
    symbolSize: 6,
    lineStyle: { width: 2, cap: "round", join: "round" },
    areaStyle: series.kind === "area" ? { opacity: 0.1 } : undefined,
  };
}

function targetLine(data, colors) {
  if (data.target === null) return undefined;
  return {
    silent: true, symbol: "none", animation: false,
    lineStyle: { color: colors["ink-3"], type: [4, 4], width: 1 },
    label: { formatter: `${data.targetLabel} ${data.target} ${data.unit}`, position: "insideEndTop", color: colors["ink-2"], fontSize: 12 },
    data: [{ yAxis: data.target }],
  };
}

function option(data) {
  const colors = look();
  const text = { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 };
  const series = data.series.map((entry, index) => seriesOption(entry, index, data, colors));
  if (series.length) series[0].markLine = targetLine(data, colors);
  const hasLegend = series.length > 1;
  return {
    animation: false,
    textStyle: text,
    grid: { left: 4, right: 12, top: hasLegend ? 36 : 12, bottom: 4, containLabel: true },
    legend: hasLegend ? { left: 0, top: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, itemGap: 16, textStyle: { color: colors["ink-2"] } } : undefined,
    xAxis: { type: "category", data: data.labels, boundaryGap: data.series.some((s) => s.kind === "bar"), axisTick: { show: false }, axisLine: { lineStyle: { color: colors.line } }, axisLabel: { color: colors["ink-2"], hideOverlap: true } },
    yAxis: { type: "value", min: data.min ?? undefined, max: data.max ?? undefined, splitNumber: 4, interval: data.min !== null && data.max !== null ? (data.max - data.min) / 4 : undefined, axisLabel: { color: colors["ink-2"], formatter: (value) => said(value, data.unit === "%" || /^[A-Z]{3}$/.test(data.unit) ? data.unit : "", 0) }, splitLine: { lineStyle: { color: colors.line } } },
    // The HTML tooltip writes inline styles, which the content policy forbids.
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: colors.raised, borderColor: colors.line, borderWidth: 1, padding: [8, 12], textStyle: { ...text, color: colors.ink }, axisPointer: { lineStyle: { color: colors["ink-3"], type: "solid" } }, valueFormatter: (value) => (value === null || value === undefined ? "–" : said(value, data.unit)) },
    series,
  };
}

function draw(box) {
  if (drawn.has(box)) return;
  const chart = init(box, null, { renderer: "svg" });
  chart.setOption(option(JSON.parse(box.dataset.chart)));
  drawn.set(box, chart);
  new ResizeObserver(() => {
    if (box.clientWidth && box.clientWidth !== chart.getWidth()) chart.resize();
  }).observe(box);
}

function drawAll(root) {
  root.querySelectorAll("[data-chart]").forEach(draw);
}

drawAll(document);
document.body.addEventListener("htmx:load", (event) => drawAll(event.detail.elt));
document.addEventListener("themechange", () => {
  for (const [box, chart] of drawn) {
    if (box.isConnected) chart.setOption(option(JSON.parse(box.dataset.chart)), true);
    else { chart.dispose(); drawn.delete(box); }
  }
});
