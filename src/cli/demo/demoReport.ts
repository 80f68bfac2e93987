// Collects the demo's metrics and pictures for the report page.
import { type Device, type ImageSize, probabilityOf } from "../../index.ts";
import { percent, type ReportPair } from "../../report/html.ts";
import type { DemoReport } from "../report/demoPage.ts";
import { pictureUri } from "../report/pictureUri.ts";
import { type DemoPeople, faceSize, picturesEach } from "./demoPeople.ts";
import type { DemoEvaluation } from "./evaluateDemo.ts";
import { networkInWords, type TrainingRun } from "./train.ts";

const shownPairs = 12;
const size: ImageSize = [faceSize, faceSize, 3];

export function adapterInWords({ adapter }: Device): string {
  const { vendor, architecture, description, software } = adapter;
  return `${description || [vendor, architecture].filter(Boolean).join(" ")}${software ? " (software, on the CPU)" : ""}`;
}

export async function demoReport(
  device: Device,
  seed: number,
  people: DemoPeople,
  training: TrainingRun,
  evaluation: DemoEvaluation,
  seconds: DemoReport["seconds"],
): Promise<DemoReport> {
  const { network, pixels, thresholds, oneShot, identification } = evaluation;
  const picture = (index: number) => pictureUri(people.unseen.items[index], size);
  const scores = (same: boolean) => network.scored.filter((pair) => pair.same === same).map((p) => p.distance);
  const { losses, batch, stepsPerSecond, launches, bytes, kernels } = training;
  return {
    title: "twingrad: recognizing unseen people",
    adapter: adapterInWords(device),
    seed,
    seconds,
    people: {
      trained: people.training.identities.length,
      validation: people.validation.identities.length,
      unseen: people.unseen.identities.length,
      pictures: picturesEach,
    },
    network: networkInWords,
    training: { steps: losses.length, batch, stepsPerSecond, losses },
    verification: {
      report: network.report,
      roc: network.roc,
      same: scores(true),
      different: scores(false),
      threshold: thresholds.verify,
    },
    baseline: { report: pixels.report, roc: pixels.roc },
    oneShot: { ...oneShot, accuracy: network.oneShot, baseline: pixels.oneShot },
    pairs: await pairGroups(evaluation, picture),
    identification: {
      enrolled: await Promise.all(
        identification.enrolled.map(async ({ name, picture: index }) => ({ name, picture: await picture(index) })),
      ),
      probes: await Promise.all(
        identification.probes.map(async (probe) => ({ ...probe, picture: await picture(probe.picture) })),
      ),
      threshold: thresholds.identify,
    },
    engine: { launches, bytes, kernels },
  };
}

/** A sample of the correct decisions, and the worst of the wrong ones. */
async function pairGroups(
  { network, thresholds, calibration }: DemoEvaluation,
  picture: (index: number) => Promise<string>,
): Promise<DemoReport["pairs"]> {
  const threshold = thresholds.verify;
  const chosen = (same: boolean, right: boolean) => {
    const found = network.scored.filter(
      (pair) => pair.same === same && (pair.distance <= threshold === same) === right,
    );
    if (right) {
      const stride = Math.max(1, Math.floor(found.length / shownPairs));
      return found.filter((_, index) => index % stride === 0).slice(0, shownPairs);
    }
    return found.sort((a, b) => (same ? b.distance - a.distance : a.distance - b.distance)).slice(0, shownPairs);
  };
  const group = async (title: string, same: boolean, right: boolean) => ({
    title,
    right,
    pairs: await Promise.all(
      chosen(same, right).map(
        async ({ left, right: other, distance }): Promise<ReportPair> => ({
          left: await picture(left),
          right: await picture(other),
          caption: percent(probabilityOf(calibration, distance), 0),
        }),
      ),
    ),
  });
  return [
    await group("Genuine pairs, correctly accepted", true, true),
    await group("Impostor pairs, correctly rejected", false, true),
    await group("Genuine pairs, falsely rejected: the worst", true, false),
    await group("Impostor pairs, falsely accepted: the worst", false, false),
  ];
}
