// A run as it is stored.
import { withPresentNames } from "../../../options.ts";
import type { Evaluation, RunSettings, RunStatus } from "../../messages.ts";
import { defaultSettings } from "../../tabs/train/defaults.ts";
import { hasFields, isListOf, isNumber, isObject, isOneOf, isText, isYesOrNo, type Shape } from "../shapes.ts";

export interface Run {
  readonly version: 1;
  readonly id: string;
  name: string;
  readonly created: number;
  status: RunStatus;
  readonly settings: RunSettings;
  readonly people: number;
  readonly heldOut: number;
  readonly pictures: number;
  /** The fingerprint of its pictures. */
  readonly fingerprint: string;
  adapter: string;
  /** The loss of every step from the first. */
  losses: number[];
  evaluations: Evaluation[];
  hasModel: boolean;
}

/** Settings have the types of the defaults; a few are one of several words. */
const settingShapes: Readonly<Record<string, Shape>> = {
  ...Object.fromEntries(
    Object.entries(defaultSettings).map(([name, value]) => [
      name,
      Array.isArray(value) ? isListOf(isNumber) : (one: unknown) => typeof one === typeof value,
    ]),
  ),
  channels: isOneOf(1, 3),
  augmentation: isOneOf("none", "light", "standard", "strong"),
  loss: isOneOf("supervised-contrastive", "triplet", "contrastive", "cross-entropy"),
  schedule: isOneOf("cosine", "constant"),
  optimizer: isOneOf("adam", "adamw"),
};

export const isRun = (value: unknown): value is Run =>
  hasFields<Run>(value, {
    version: isNumber,
    id: isText,
    name: isText,
    created: isNumber,
    status: isOneOf("training", "paused", "trained", "stopped", "failed"),
    settings: (settings) => isObject(settings) && hasFields(withPresentNames(settings), settingShapes),
    people: isNumber,
    heldOut: isNumber,
    pictures: isNumber,
    fingerprint: isText,
    adapter: isText,
    losses: isListOf(isNumber),
    evaluations: isListOf((one) => hasFields<Evaluation>(one, { step: isNumber, auc: isNumber, eer: isNumber })),
    hasModel: isYesOrNo,
  });
