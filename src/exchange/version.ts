/** Of the package. Imported here and not deeper: the build finds the package by a folder directly in src. */
export { version } from "twingrad:build";
