// The extents of edges and of their histograms, without the operations: a network's size needs them.

/** Number of edge directions, 45 degrees apart. */
export const edgeDirections = 8;

/** The side of a histogram's window, and the step between windows, in cells. */
export const [histogramSize, histogramStride] = [4, 2];

/** The number of windows along `cells` cells of `orientedGradients`. */
export const histogramWindows = (cells: number): number =>
  Math.max(0, Math.floor((cells - histogramSize) / histogramStride) + 1);
