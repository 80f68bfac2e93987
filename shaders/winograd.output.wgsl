// output = A' M A + bias for each 4 x 4 tile M of products (Winograd F(2x2, 3x3)): the 2 x 2 outputs of that tile, cut at
// the image's edge. product is [16, tiles, FILTERS]; A' = [1 1 1 0; 0 1 -1 -1]. A thread makes one tile of four channels:
// 16 loads, 24 additions, 4 stores of vec4f.
override FILTERS: u32; // vec4s
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override TILES_Y: u32; // tiles in one image
override TILES_X: u32;
override BIAS: u32; // 1: add it
override COUNT: u32; // threads: tiles * FILTERS
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> product: array<vec4f>;
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let o = i % FILTERS;
  let tile = i / FILTERS;
  let line = tile / TILES_X;
  let top = 2u * (line % TILES_Y);
  let left = 2u * (tile % TILES_X);
  let m00 = product[i];
  let m01 = product[i + COUNT];
  let m02 = product[i + 2u * COUNT];
  let m03 = product[i + 3u * COUNT];
  let m10 = product[i + 4u * COUNT];
  let m11 = product[i + 5u * COUNT];
  let m12 = product[i + 6u * COUNT];
  let m13 = product[i + 7u * COUNT];
  let m20 = product[i + 8u * COUNT];
  let m21 = product[i + 9u * COUNT];
  let m22 = product[i + 10u * COUNT];
  let m23 = product[i + 11u * COUNT];
  let m30 = product[i + 12u * COUNT];
  let m31 = product[i + 13u * COUNT];
  let m32 = product[i + 14u * COUNT];
  let m33 = product[i + 15u * COUNT];
  // Each column by A', then each row by A.
  let s00 = m00 + m10 + m20;
  let s10 = m10 - m20 - m30;
  let s01 = m01 + m11 + m21;
  let s11 = m11 - m21 - m31;
  let s02 = m02 + m12 + m22;
  let s12 = m12 - m22 - m32;
  let s03 = m03 + m13 + m23;
  let s13 = m13 - m23 - m33;
  let offset = select(vec4f(), bias[o], BIAS == 1u);
  let at = ((line / TILES_Y * OUTPUT_HEIGHT + top) * OUTPUT_WIDTH + left) * FILTERS + o;
  let wide = left + 1u < OUTPUT_WIDTH;
  output[at] = s00 + s01 + s02 + offset;
  if (wide) {
    output[at + FILTERS] = s01 - s02 - s03 + offset;
  }
  if (top + 1u < OUTPUT_HEIGHT) {
    output[at + OUTPUT_WIDTH * FILTERS] = s10 + s11 + s12 + offset;
    if (wide) {
      output[at + (OUTPUT_WIDTH + 1u) * FILTERS] = s11 - s12 - s13 + offset;
    }
  }
}
