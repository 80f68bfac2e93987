// In its own file because both stored pictures and datasets need it.

/**
 * Height, width, channels.
 *
 */
export type ImageSize = readonly [height: number, width: number, channels: number];
