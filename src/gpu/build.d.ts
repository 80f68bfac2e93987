// Values that only the build knows; shaders/reflect.mjs fills them in.

declare module "twingrad:build" {
  /** The package's version. */
  export const version: string;
  /** A digest of all shader sources. */
  export const shaders: string;
}
