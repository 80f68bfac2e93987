// A g A' for each 2 x 2 tile g of the output gradient: the gradient of the products of Winograd F(2x2, 3x3), the adjoint
// of winograd.output. transformed is [16, tiles, FILTERS]; outputs beyond the edge are zeros.
// A thread transforms one tile of four channels: 4 loads, 16 stores of vec4f.
override FILTERS: u32; // vec4s
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override TILES_Y: u32; // tiles in one image
override TILES_X: u32;
override COUNT: u32; // threads: tiles in the batch * FILTERS
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> transformed: array<vec4f>;

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
  let at = ((line / TILES_Y * OUTPUT_HEIGHT + top) * OUTPUT_WIDTH + left) * FILTERS + o;
  let wide = left + 1u < OUTPUT_WIDTH;
  let high = top + 1u < OUTPUT_HEIGHT;
  let g00 = gradient[at];
  let g01 = select(vec4f(), gradient[at + FILTERS], wide);
  let g10 = select(vec4f(), gradient[at + OUTPUT_WIDTH * FILTERS], high);
  let g11 = select(vec4f(), gradient[at + (OUTPUT_WIDTH + 1u) * FILTERS], wide & high);
  let r00 = g00;
  let r01 = g01;
  let r10 = g00 + g10;
  let r11 = g01 + g11;
  let r20 = g00 - g10;
  let r21 = g01 - g11;
  let r30 = -g10;
  let r31 = -g11;
  transformed[i] = r00;
  transformed[i + COUNT] = r00 + r01;
  transformed[i + 2u * COUNT] = r00 - r01;
  transformed[i + 3u * COUNT] = -r01;
  transformed[i + 4u * COUNT] = r10;
  transformed[i + 5u * COUNT] = r10 + r11;
  transformed[i + 6u * COUNT] = r10 - r11;
  transformed[i + 7u * COUNT] = -r11;
  transformed[i + 8u * COUNT] = r20;
  transformed[i + 9u * COUNT] = r20 + r21;
  transformed[i + 10u * COUNT] = r20 - r21;
  transformed[i + 11u * COUNT] = -r21;
  transformed[i + 12u * COUNT] = r30;
  transformed[i + 13u * COUNT] = r30 + r31;
  transformed[i + 14u * COUNT] = r30 - r31;
  transformed[i + 15u * COUNT] = -r31;
}
