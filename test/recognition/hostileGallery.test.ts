// `Gallery.fromJSON` with untrusted input, as in a page: the core has no schema library, so its own checks must give a
// gallery or a typed error for any value. Files are checked by a schema first: galleryFiles.test.ts.
import fc from "fast-check";
import { expect, it } from "vitest";
import { TwingradError } from "../../src/errors.ts";
import { Gallery } from "../../src/recognition/gallery.ts";
import { model } from "./stubModel.ts";

const gallery = new Gallery(model);
await gallery.enroll("Ada", Uint8Array.of(1, 2));
await gallery.enroll("__proto__", Uint8Array.of(3, 4, 5, 6));
const saved = JSON.parse(JSON.stringify(gallery));

/** Values that JSON.parse never returns, but a browser's database may. */
const foreign = fc.constantFrom<unknown>(undefined, Number.NaN, new Map(), new Uint8Array(8));
const value = fc.oneof(fc.jsonValue(), foreign);
const text = fc.oneof(
  fc.string(),
  fc.base64String(),
  fc.constantFrom("", "unknown", "__proto__", "Ada", "AACAPwAAAEA=", "AADAfwAAAAA=", "AACAfwAAAAA="),
);
const person = fc.record(
  { name: fc.oneof(text, value), embeddings: fc.oneof(fc.array(fc.oneof(text, value)), value) },
  { requiredKeys: [] },
);
const change = fc.dictionary(
  fc.constantFrom(...Object.keys(saved), "__proto__"),
  fc.oneof(value, text, fc.constantFrom(0, 1, 2, "f", "twingrad-gallery")),
);

it("loads its own JSON, including a person called __proto__", () => {
  expect(Gallery.fromJSON(model, saved).toJSON()).toEqual(saved);
  expect(Gallery.fromJSON(model, saved).names).toEqual(["Ada", "__proto__"]);
});

it("gives a gallery of finite values or a typed error for any value", () => {
  const values = fc.oneof(
    value,
    change.map((changed) => ({ ...saved, ...changed })),
    fc.array(fc.oneof(person, value)).map((people) => ({ ...saved, people })),
  );
  let taken = 0;
  fc.assert(
    fc.property(values, (json) => {
      let found: Gallery;
      try {
        found = Gallery.fromJSON(model, json);
      } catch (error) {
        expect(error).toBeInstanceOf(TwingradError);
        expect((error as TwingradError).code).toMatch(/^(CORRUPT_FILE|CHECKPOINT_MISMATCH)$/);
        expect((error as TwingradError).message).toMatch(
          /^(this is not a gallery: |the gallery was made with another)/,
        );
        return;
      }
      taken++;
      for (const { name, embeddings } of found.toJSON().people) {
        expect(name.trim()).not.toBe("");
        expect(embeddings.length).toBeGreaterThan(0);
        for (const one of embeddings) expect(atob(one)).toHaveLength(8);
      }
    }),
    { numRuns: 3000 },
  );
  expect(taken).toBeGreaterThan(10);
  expect(({} as { people?: unknown }).people).toBeUndefined();
});
