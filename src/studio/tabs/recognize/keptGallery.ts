// The people enrolled with one model as they are stored, and what can be read of them where the file is damaged.
import { Gallery, type GalleryJson } from "../../../recognition/gallery.ts";
import type { Recognizer } from "../../../recognition/recognizer.ts";
import { isListOf, isObject, isText, readablePart } from "../../worker/shapes.ts";

type Cover = readonly [name: string, dataUri: string];

export interface KeptGallery {
  /** Absent in the first files. */
  readonly version?: 1;
  readonly gallery: GalleryJson;
  /** A small picture of each person enrolled here. */
  readonly covers: readonly Cover[];
}

const isCover = (value: unknown): value is Cover => Array.isArray(value) && value.length === 2 && value.every(isText);

function isGallery(model: Recognizer, json: unknown): json is GalleryJson {
  try {
    Gallery.fromJSON(model, json);
    return true;
  } catch {
    return false;
  }
}

export const isKeptGallery = (model: Recognizer, value: unknown): value is KeptGallery =>
  isObject(value) && isGallery(model, value.gallery) && isListOf(isCover)(value.covers);

/** The people and covers that can be read in a damaged file; nobody where there are none. */
export function galleryWithin(model: Recognizer, text: string): KeptGallery {
  const found = readablePart(text, "]}", "]}}");
  const { gallery = {}, covers = [] } = isObject(found) ? found : {};
  const empty = new Gallery(model, { match: "nearest" }).toJSON();
  const people = isObject(gallery) && Array.isArray(gallery.people) ? gallery.people : [];
  const names = new Set<string>();
  const readable = people.filter((person) => {
    if (!isGallery(model, { ...empty, people: [person] }) || names.has(person.name)) return false;
    names.add(person.name);
    return true;
  });
  return {
    version: 1,
    gallery: { ...empty, people: readable },
    covers: Array.isArray(covers) ? covers.filter(isCover) : [],
  };
}
