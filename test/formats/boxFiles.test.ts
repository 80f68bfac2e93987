import { describe, expect, it, vi } from "vitest";
import { boxFileOf, parseBoxFile, parseBoxTable } from "../../src/formats/boxFiles.ts";

const box = { xmin: 10, ymin: 20, xmax: 40, ymax: 60, relative: false };

describe("parseBoxTable", () => {
  it.each([
    ["corners", "file,xmin,ymin,xmax,ymax\nada/1.jpg,10,20,40,60\n"],
    ["sides", "file,x,y,width,height\r\nada/1.jpg,10,20,30,40\r\n\r\n"],
    [
      "other columns, another order, quotes, a byte-order mark",
      '\uFEFFName,Height,FILE,width,y,x\n"A, B",40,"ada/1.jpg",30,20,10',
    ],
    ["unused columns, with duplicate or empty names", "file,a,a,x,y,width,height,,\nada/1.jpg,1,2,10,20,30,40,,\n"],
  ])("%s", (_, text) => {
    const warned = vi.spyOn(console, "warn");
    expect(parseBoxTable(text)).toEqual(new Map([["ada/1.jpg", box]]));
    expect(warned).not.toHaveBeenCalled();
  });

  it.each<[string, RegExp]>([
    ["", /^line 1: expected the columns file,xmin,ymin,xmax,ymax or file,x,y,width,height/],
    ["file,left,top\n", /^line 1: .* not "file,left,top"/],
    ["file,x,y,width,height,X\na.jpg,1,2,3,4,5\n", /^line 1: duplicate column "x"/],
    ["file,x,y,width,height\na.jpg,1,2,3\n", /^line 2: expected 5 values, as in line 1, not 4/],
    ["file,x,y,width,height\na.jpg,1,2,3,4,5\n", /^line 2: expected 5 values, as in line 1, not 6/],
    ['file,x,y,width,height\n"a.jpg,1,2,3,4\n', /^line 2: .*quote/i],
    [
      "file,x,y,width,height\na.jpg,1,2,3,4\nb.jpg,1,2,0,4\n",
      /^line 3: the box xmin 1, ymin 2, xmax 1, ymax 6 .*no area/,
    ],
    ["file,x,y,width,height\na.jpg,1,two,3,4\n", /^line 2: the box .*NaN/],
    ["file,x,y,width,height\na.jpg,1,,3,4\n", /^line 2: the box .*NaN/],
    ["file,x,y,width,height\na.jpg,1,2,3,4\na.jpg,1,2,3,4\n", /^line 3: duplicate file "a\.jpg"/],
  ])("%j is rejected", (text, reason) => {
    expect(() => parseBoxTable(text)).toThrow(
      expect.objectContaining({ code: "CORRUPT_FILE", message: expect.stringMatching(reason) }),
    );
  });
});

describe("parseBoxFile", () => {
  it("reads corners, sides and shares, and ignores files for other purposes", () => {
    expect(parseBoxFile('{"box":{"xmin":10,"ymin":20,"xmax":40,"ymax":60},"who":"Ada"}')).toEqual(box);
    expect(parseBoxFile('{"box":{"x":10,"y":20,"width":30,"height":40}}')).toEqual(box);
    const shares = '{"box":{"xmin":0.1,"ymin":0.2,"xmax":0.5,"ymax":0.9},"relative":true}';
    expect(parseBoxFile(shares)).toEqual({ xmin: 0.1, ymin: 0.2, xmax: 0.5, ymax: 0.9, relative: true });
    for (const text of ['{"who":"Ada"}', '{"box":null}', "[1]", "null"]) expect(parseBoxFile(text)).toBeUndefined();
  });

  it("accepts a byte-order mark, and accents in any Unicode form", () => {
    expect(parseBoxFile('\uFEFF{"box":{"xmin":10,"ymin":20,"xmax":40,"ymax":60}}')).toEqual(box);
    expect([...parseBoxTable("file,xmin,ymin,xmax,ymax\nRene\u0301e/1.jpg,10,20,40,60\n").keys()]).toEqual([
      "Ren\u00e9e/1.jpg",
    ]);
  });

  it.each<[string, RegExp]>([
    ["{", /^Invalid JSON: /],
    [
      '{"box":{"x":1,"y":2}}',
      /^Invalid "box" \{"x":1,"y":2\}: expected \{xmin, ymin, xmax, ymax\} or \{x, y, width, height\}/,
    ],
    ['{"box":{"x":"1","y":2,"width":3,"height":4}}', /^Invalid "box"/],
    ['{"box":{"x":1,"y":2,"width":-3,"height":4}}', /no area/],
  ])("%j is rejected", (text, reason) => expect(() => parseBoxFile(text)).toThrow(reason));

  it("is next to the picture, under its name", () => {
    expect(["a/1.jpg", "a.b/c.d.png", "a.b/c"].map(boxFileOf)).toEqual(["a/1.json", "a.b/c.d.json", "a.b/c"]);
  });
});
