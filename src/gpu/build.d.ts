// What the build knows and the sources do not: filled in by shaders/reflect.mjs.

declare module "twingrad:build" {
  /** Of the package. */
  export const version: string;
  /** A digest of the sources of all shaders. */
  export const shaders: string;
}
