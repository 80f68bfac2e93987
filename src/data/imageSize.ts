// Apart, so that a stored picture and a dataset of such pictures both know it.

/**
 * Height, width, channels.
 *
 */
export type ImageSize = readonly [height: number, width: number, channels: number];
