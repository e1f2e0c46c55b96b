// A cloud of points in a panel of its own: what scatter plots, embeddings and the plot of variable genes have in common.

import type { Layer } from "../../../render/canvas.ts";
import type { Axis } from "../figures/figure.ts";
import {
  type AxisStyle,
  type ChartSize,
  type PanelPoints,
  type PointLayer,
  pointStyle,
  THUMB_HEIGHT,
  type View,
} from "./chart.ts";

/** Room around the panel of a thumbnail, which has neither axes nor words. */
export const THUMB_FRAME = {
  left: 10,
  right: 10,
  top: 10,
  height: THUMB_HEIGHT - 20,
  bottom: 10,
  ticks: 0,
} as const;

/** Points on two axes. */
interface Cloud {
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: { readonly x: readonly number[]; readonly y: readonly number[] };
}

/** What colours points; where they are to lie on each other in another order, their places as well. */
export type ColouredPoints = Pick<PanelPoints, "column" | "values" | "shades"> &
  Partial<Pick<PanelPoints, "xs" | "ys">>;

/** How a cloud is shown. */
interface CloudLook {
  readonly size: ChartSize;
  readonly width: number;
  readonly height: number;
  /** Of both axes; null where they are not drawn. */
  readonly style: AxisStyle | null;
  /** Given the opacity that suits so many points. */
  readonly colours: (opacity: number) => ColouredPoints;
}

/** Makes the view of a cloud: its points, as large and clear as suits their number, and further layers over them. */
export function cloudView(
  points: PointLayer,
  cloud: Cloud,
  look: CloudLook,
  over: readonly Layer[],
): View {
  const { width, height, style } = look;
  const { radius, opacity } = pointStyle(cloud.marks.x.length, look.size);
  return {
    width,
    height,
    layer: [
      points({
        width,
        height,
        x: cloud.x,
        y: cloud.y,
        xs: cloud.marks.x,
        ys: cloud.marks.y,
        ...look.colours(opacity),
        radius,
        axes: { x: style, y: style },
      }),
      ...over,
    ],
  };
}
