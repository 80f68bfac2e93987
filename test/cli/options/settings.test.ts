import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { optimizerOf } from "../../../src/cli/options/optimizerSettings.ts";
import { augmentationRanges } from "../../../src/cli/options/pictureSettings.ts";
import { presets } from "../../../src/cli/options/presets.ts";
import { checkRest, planned, ratesOf } from "../../../src/cli/options/scheduleSettings.ts";
import { parseSettings, resolveSettings, resumeSettings, SettingsError } from "../../../src/cli/options/settings.ts";
import { type PartialSettings, presetNames } from "../../../src/cli/options/settingsSchema.ts";
import { augmentationPresets } from "../../../src/data/augmentation/ranges.ts";

describe("resolveSettings", () => {
  it("puts flags over the file over the defaults", () => {
    const settings = resolveSettings({ seed: 5, l2: 0 }, { seed: 6 });
    expect(settings).toMatchObject({ seed: 6, l2: 0, batchSize: 16 });
  });

  it("says what a file should hold, and which of its names is unknown", () => {
    expect(() => parseSettings([1], "c.json")).toThrow(
      'c.json: expected an object of settings, such as {"steps": 100}',
    );
    expect(() => parseSettings({ stepz: 1 }, "c.json")).toThrow('c.json: Unrecognized key: "stepz"');
  });

  it("takes a number of steps alone, epochs alone, and both", () => {
    expect(resolveSettings({}, {})).toMatchObject({ epochs: 20 });
    expect(resolveSettings({}, { steps: 7 }).epochs).toBeUndefined();
    expect(resolveSettings({ epochs: 3 }, { steps: 7 })).toMatchObject({ epochs: 3, steps: 7 });
  });

  it("balances unless a probability is given", () => {
    expect(resolveSettings({}, {}).balanced).toBe(true);
    expect(resolveSettings({}, { differentProbability: 0.1 })).toMatchObject({ balanced: false, sameProbability: 1 });
    expect(() => resolveSettings({ balanced: true }, { sameProbability: 0.5 })).toThrow(SettingsError);
    expect(() => resolveSettings({ loss: "triplet" }, { sameProbability: 0.5 })).toThrow(/does not sample pairs/);
  });

  it("holds out a share or a fold, not both, and groups where people are recognized", () => {
    expect(resolveSettings({ fold: "3/8", holdOutGroups: true }, {})).toMatchObject({
      fold: "3/8",
      holdOutGroups: true,
    });
    expect(() => resolveSettings({ fold: "3/8" }, { validation: 0.2 })).toThrow(/--fold and --validation/);
    expect(() => resolveSettings({ task: "liveness" }, { holdOutGroups: true })).toThrow(
      /--hold-out-groups requires --task recognition/,
    );
  });

  it("liveness has one loss and draws no pairs", () => {
    expect(resolveSettings({ task: "liveness" }, { loss: "cross-entropy" })).toMatchObject({ task: "liveness" });
    expect(() => resolveSettings({ task: "liveness" }, { loss: "triplet" })).toThrow(
      /--loss cross-entropy, not triplet/,
    );
    expect(() => resolveSettings({}, { task: "liveness", sameProbability: 1 })).toThrow(/pair sampling options/);
  });
});

describe("presets", () => {
  it.each(presetNames)("%s is whole: its settings go together, and are told apart from the defaults", (preset) => {
    const { settings } = presets[preset];
    expect(resolveSettings({}, { preset })).toMatchObject({ ...settings, preset });
    expect(parseSettings(settings, "preset")).toEqual(settings);
  });

  it("come below a file and flags", () => {
    const settings = resolveSettings({ preset: "few", steps: 40, whiten: 1 }, { steps: 50, seed: 7 });
    expect(settings).toMatchObject({ steps: 50, whiten: 1, seed: 7, centre: 0.9, preset: "few" });
  });

  it("leave out what an option says in another way, or what goes with another loss", () => {
    const batch = resolveSettings({}, { preset: "faces", batchSize: 24 });
    expect(batch).toMatchObject({ identitiesPerBatch: 6, picturesPerIdentity: 4 });
    expect(resolveSettings({}, { preset: "faces", epochs: 3 })).not.toHaveProperty("steps");
    expect(resolveSettings({}, { preset: "faces", steps: 31 })).toMatchObject({ steps: 31, warmUp: 15 });
    expect(resolveSettings({}, { preset: "faces", loss: "triplet" })).toMatchObject({ identitiesPerBatch: 16 });
    expect(resolveSettings({}, { preset: "faces", loss: "contrastive" }).identitiesPerBatch).toBeUndefined();
    expect(resolveSettings({}, { preset: "article", balanced: true }).balanced).toBe(true);
    expect(resolveSettings({}, { preset: "article", loss: "triplet" })).toMatchObject({ balanced: true });
    expect(resolveSettings({}, { preset: "few", towers: ["pixels", "pixels"] }).align).toBeUndefined();
  });

  it("are named where they contradict an option", () => {
    expect(() => resolveSettings({}, { preset: "liveness", task: "recognition" })).toThrow(
      /^--patch requires --task liveness.*\(--preset liveness sets \{"imageSize":112/,
    );
  });

  it("the one that was meant is told, or all of them", () => {
    expect(() => parseSettings({ preset: "face" }, "--")).toThrow(
      /^--preset: unknown preset "face"; did you mean "faces"\?$/,
    );
    expect(() => parseSettings({ preset: "badges" }, "--")).toThrow(
      /expected article, faces, few, characters, liveness$/,
    );
  });

  it("are kept by a run, which is resumed with the same one alone", () => {
    const saved = resolveSettings({}, { preset: "faces" });
    expect(resumeSettings(saved, { preset: "faces", steps: 9000 })).toMatchObject({ preset: "faces", steps: 9000 });
    expect(() => resumeSettings(saved, { preset: "few" })).toThrow(/preset is "faces" in the run to resume/);
  });
});

describe("what an embedding is made of", () => {
  const supervised = { loss: "supervised-contrastive" } as const;

  it("takes towers, views and whitening where the loss compares embeddings", () => {
    const given: PartialSettings = { ...supervised, towers: ["pixels", "histograms"], whiten: 0.3, views: ["mirror"] };
    expect(resolveSettings(given, {})).toMatchObject(given);
    expect(resolveSettings({ views: ["mirror", "zoom"] }, {})).toMatchObject({ views: ["mirror", "zoom"] });
  });

  it.each<[PartialSettings, RegExp]>([
    [{ towers: ["pixels", "pixels"] }, /several --towers require a loss that compares all pictures/],
    [{ towers: ["pixels", "edges"], loss: "triplet", mining: "none" }, /several --towers require/],
    [{ whiten: 0.3 }, /--whiten requires a loss on distances/],
    [{ centre: 0.9 }, /--centre requires a loss on distances/],
  ])("refuses %j", (given, reason) => {
    expect(() => resolveSettings(given, {})).toThrow(reason);
  });

  it("brings the pictures of some towers in line, of those that there are", () => {
    const given: PartialSettings = { ...supervised, towers: ["pixels", "edges"], align: ["edges"] };
    expect(resolveSettings(given, {})).toMatchObject(given);
    expect(resolveSettings({ align: ["pixels"] }, {})).toMatchObject({ align: ["pixels"] });
    expect(() => resolveSettings({ align: ["edges"] }, {})).toThrow(
      /--align edges: no such tower; expected one of pixels/,
    );
    expect(() => resolveSettings({ align: ["pixels"], rotatedIdentities: true }, {})).toThrow(
      /--align needs upright pictures/,
    );
    expect(() => resolveSettings({ task: "liveness", align: ["pixels"] }, {})).toThrow(
      /--align requires --task recognition/,
    );
  });

  it("refuses unknown views, and one twice", () => {
    expect(() => parseSettings({ views: ["turn"] }, "--")).toThrow(/--views/);
    expect(() => parseSettings({ views: ["move", "move"] }, "--")).toThrow(/--views: expected each view at most once/);
  });
});

describe("batches that are compared as a whole", () => {
  it("mines the hardest triplets unless told otherwise, of 4 pictures of each person", () => {
    expect(resolveSettings({}, { loss: "triplet" })).toMatchObject({ mining: "batch-hard", picturesPerIdentity: 4 });
    expect(resolveSettings({}, { loss: "triplet", mining: "none" }).picturesPerIdentity).toBeUndefined();
    expect(resolveSettings({}, {})).not.toHaveProperty("mining", expect.anything());
  });

  it.each([
    [{ batchSize: 32 }, { identitiesPerBatch: 8, picturesPerIdentity: 4 }],
    [
      { batchSize: 32, picturesPerIdentity: 2 },
      { identitiesPerBatch: 16, picturesPerIdentity: 2 },
    ],
    [{ batchSize: 5 }, { identitiesPerBatch: 2, picturesPerIdentity: 2 }],
    [{ identitiesPerBatch: 20 }, { identitiesPerBatch: 20, picturesPerIdentity: 4 }],
  ])("reads %j as people and pictures of each", (given, expected) => {
    for (const loss of ["triplet", "supervised-contrastive"] as const) {
      expect(resolveSettings({}, { loss, ...given })).toMatchObject(expected);
    }
  });

  it.each<[PartialSettings, RegExp]>([
    [{ mining: "semi-hard" }, /--mining requires --loss triplet/],
    [{ margin: 1 }, /--margin requires/],
    [{ loss: "contrastive", margin: "soft" }, /--margin soft requires --mining/],
    [{ loss: "triplet", mining: "none", margin: "soft" }, /--margin soft/],
    [{ loss: "triplet", temperature: 1 }, /--temperature requires/],
    [{ loss: "contrastive", identitiesPerBatch: 4 }, /--identities-per-batch/],
    [{ loss: "triplet", mining: "none", picturesPerIdentity: 4 }, /--pictures-per-identity/],
    [{ loss: "triplet", batchSize: 8, identitiesPerBatch: 4 }, /use one of them/],
    [{ loss: "triplet", batchSize: 3 }, /--batch-size 3 is too small: .* at least 2 identities/],
    [{ loss: "supervised-contrastive", batchSize: 7, picturesPerIdentity: 4 }, /--batch-size 7/],
    [{ loss: "supervised-contrastive", sameProbability: 1 }, /does not sample pairs/],
  ])("refuses %j", (given, reason) => {
    expect(() => resolveSettings({}, given)).toThrow(SettingsError);
    expect(() => resolveSettings({}, given)).toThrow(reason);
  });
});

describe("people held out", () => {
  it("are needed for what looks at them", () => {
    expect(() => resolveSettings({}, { validation: 0, patience: 3 })).toThrow(/--patience needs held-out identities/);
    expect(() => resolveSettings({}, { validation: 0, keep: "best" })).toThrow(/--keep best needs held-out identities/);
    expect(resolveSettings({}, { validation: 0, keep: "last" })).toMatchObject({ keep: "last" });
  });
});

describe("optimizers", () => {
  it("have options of their own", () => {
    const sgd = { optimizer: "sgd", momentum: 0.9 } as const;
    expect(resolveSettings({}, sgd)).toMatchObject(sgd);
    expect(optimizerOf(resolveSettings({}, sgd), () => 1).name).toBe("sgd with momentum");
    expect(optimizerOf(resolveSettings({}, { optimizer: "adamw", weightDecay: 0.1 }), () => 1).name).toBe("adamW");
    expect(optimizerOf(resolveSettings({}, {}), () => 1).name).toBe("adam");
    expect(() => resolveSettings({}, { momentum: 0.9 })).toThrow(/--momentum requires --optimizer sgd, not adam/);
    expect(() => resolveSettings({}, { ...sgd, weightDecay: 0.1 })).toThrow(/--weight-decay requires/);
  });

  it("stay what they are in a resumed run", () => {
    const saved = resolveSettings({}, { optimizer: "sgd", momentum: 0.9 });
    expect(resumeSettings(saved, { steps: 9 })).toMatchObject({ optimizer: "sgd", momentum: 0.9 });
    expect(() => resumeSettings(saved, { optimizer: "adamw" })).toThrow(/optimizer is "sgd"/);
    expect(() => resumeSettings(saved, { momentum: 0.5 })).toThrow(/momentum is 0.9/);
    expect(() => resumeSettings(resolveSettings({}, {}), { optimizer: "sgd" })).toThrow(SettingsError);
  });
});

describe("schedules", () => {
  it.each<[PartialSettings, RegExp]>([
    [{ schedule: "step" }, /--schedule step requires --decay-every/],
    [{ decayEvery: 5 }, /--decay-every requires --schedule step, not constant/],
    [{ schedule: "step", decayEvery: 5, finalRate: 0 }, /--final-rate requires --schedule cosine, not step/],
    [{ schedule: "cosine", decayRate: 0.5 }, /--decay-rate requires/],
  ])("refuses %j", (given, reason) => {
    expect(() => resolveSettings({}, given)).toThrow(SettingsError);
    expect(() => resolveSettings({}, given)).toThrow(reason);
  });

  it("plans a cosine for the run that it begins with, and holds a resumed one to it", () => {
    const cosine = { learningRate: 0.5, schedule: "cosine" } as const;
    const begun = planned(resolveSettings({}, { ...cosine, steps: 10 }), 10);
    expect(ratesOf(begun)(6)).toBeCloseTo(0.25, 12);
    const longer = planned(resumeSettings(begun, { steps: 20 }), 20);
    expect(longer).toMatchObject({ steps: 20, scheduleSteps: 10 });
    expect(() => checkRest(ratesOf(longer), 10)).not.toThrow();
    expect(() => checkRest(ratesOf(longer), 11)).toThrow(/is 0 from step 11 on: .*more steps would change nothing/);
    expect(planned(resolveSettings({}, { ...cosine, scheduleSteps: 7 }), 10).scheduleSteps).toBe(7);
    expect(planned(resolveSettings({}, {}), 10)).toEqual(resolveSettings({}, {}));
  });
});

describe("resumeSettings", () => {
  const saved = resolveSettings({}, { steps: 10, seed: 4 });

  it("keeps the saved ones and takes what may change", () => {
    expect(resumeSettings(saved, {})).toEqual(saved);
    expect(resumeSettings(saved, { steps: 20, checkpointEvery: 5 })).toEqual({
      ...saved,
      steps: 20,
      checkpointEvery: 5,
    });
    const epochs = resumeSettings(saved, { epochs: 2 });
    expect(epochs).toMatchObject({ epochs: 2 });
    expect(epochs.steps).toBeUndefined();
  });

  it("takes what was said before said again, and refuses what was not", () => {
    expect(resumeSettings(saved, { seed: 4, filters: [64, 64, 64, 32] })).toEqual(saved);
    expect(() => resumeSettings(saved, { seed: 5 })).toThrow(/seed is 4 .* cannot change to 5/);
    expect(() => resumeSettings(saved, { augment: true })).toThrow(/augment is false/);
    expect(() => resumeSettings(saved, { task: "liveness" })).toThrow(/task is "recognition"/);
  });
});

describe("parseSettings", () => {
  it.each([
    [{ imageSize: [1, 2, 3] }, /^file: imageSize/],
    [{ filters: [] }, /^file: filters/],
    [{ filters: [4, 0] }, /^file: filters\.1/],
    [{ learningRate: 0 }, /^file: learningRate/],
    [{ validation: 1 }, /^file: validation/],
    [{ seed: -1 }, /^file: seed/],
    [{ fold: "9/8" }, /^file: fold: expected a fold such as 3\/8/],
    [{ fold: "1/1" }, /^file: fold/],
    [{ fold: "half" }, /^file: fold/],
    [{ sourceSize: [0, 4] }, /^file: sourceSize/],
    [{ resize: "cubic" }, /^file: resize/],
    [{ task: "age" }, /^file: task/],
    [{ augment: "much" }, /^file: augment: got "much"; expected true, false, a preset \(light, standard, strong\)/],
    [{ augment: { rotation: 400 } }, /^file: augment: Invalid rotation 400: expected .* within -180 to 180/],
    [{ augment: { rotatoin: 4 } }, /^file: augment: .*"rotatoin" in augmentation: expected any of crop/],
    [{ augment: null }, /^file: augment: /],
    [{ color: true }, /color/],
    [[], /expected an object of settings/],
    [null, /expected an object of settings/],
  ])("refuses %j", (value, reason) => {
    expect(() => parseSettings(value, "file")).toThrow(SettingsError);
    expect(() => parseSettings(value, "file")).toThrow(reason);
  });
});

describe("renamed settings", () => {
  const former = { peoplePerBatch: 6, picturesPerPerson: 3, turnedIdentities: true, steps: 2 };
  const present = { identitiesPerBatch: 6, picturesPerIdentity: 3, rotatedIdentities: true, steps: 2 };
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  afterEach(() => written.mockClear());
  afterAll(() => written.mockRestore());
  const lines = () => written.mock.calls.map(([line]) => line);

  it("are accepted in a file and as options, each with a line that has the present name", () => {
    expect(parseSettings(former, "c.json")).toEqual(present);
    expect(lines()).toEqual([
      "c.json: peoplePerBatch was renamed: use identitiesPerBatch\n",
      "c.json: picturesPerPerson was renamed: use picturesPerIdentity\n",
      "c.json: turnedIdentities was renamed: use rotatedIdentities\n",
    ]);
    written.mockClear();
    expect(parseSettings({ peoplePerBatch: 6 }, "--")).toEqual({ identitiesPerBatch: 6 });
    expect(lines()).toEqual(["--people-per-batch was renamed: use --identities-per-batch\n"]);
    written.mockClear();
    expect(parseSettings(present, "c.json")).toEqual(present);
    expect(lines()).toEqual([]);
  });

  it("are checked under the present name, and refused beside it", () => {
    expect(() => parseSettings({ peoplePerBatch: 1 }, "c.json")).toThrow(/^c.json: identitiesPerBatch: /);
    expect(() => parseSettings({ peoplePerBatch: 4, identitiesPerBatch: 8 }, "--")).toThrow(
      "--people-per-batch is the former name of --identities-per-batch: remove one of them",
    );
  });
});

describe("augmentationRanges", () => {
  it("takes yes and no, a preset's name, and ranges", () => {
    const ranges = { rotation: [-2, 5] as const, erasing: { probability: 0.5 } };
    expect(parseSettings({ augment: ranges }, "file").augment).toEqual(ranges);
    expect(augmentationRanges(ranges)).toEqual(ranges);
    expect(augmentationRanges(false)).toBeUndefined();
    expect(augmentationRanges(true)).toBe(augmentationPresets.standard);
    expect(augmentationRanges("light")).toBe(augmentationPresets.light);
  });
});
