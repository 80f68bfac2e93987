/**
 * The version of the package. Imported in this folder, since the build finds package.json only from a folder directly
 * in src.
 */
export { version } from "twingrad:build";
