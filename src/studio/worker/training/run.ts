// A run as it is stored.
import { withPresentNames } from "../../../options.ts";
import type { Evaluation, RunSettings, RunStatus } from "../../messages.ts";
import { settingShapes } from "../../tabs/train/defaults.ts";
import { hasFields, isListOf, isNumber, isObject, isOneOf, isText, isYesOrNo } from "../shapes.ts";

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
