import { BarChart, LineChart, PieChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([AriaComponent, BarChart, GridComponent, LegendComponent, LineChart, PieChart, SVGRenderer, TooltipComponent]);

// The strict style policy forbids the inline styles of the default HTML tooltip.
for (const box of document.querySelectorAll("[data-chart]")) {
  const option = JSON.parse(box.dataset.chart);
  init(box, null, { renderer: "svg" }).setOption({ ...option, tooltip: { ...option.tooltip, renderMode: "richText" } });
}
