// V = B' d B for each 4 x 4 tile d of x, tiles 2 apart (Winograd F(2x2, 3x3); Lavin and Gray 2016, "Fast Algorithms for
// Convolutional Neural Networks"): transformed[k, tile, c], k = 4 row + column. A thread transforms one tile of four
// channels: 16 loads, 32 additions, 16 stores of vec4f.
override HEIGHT: i32;
override WIDTH: i32;
override CHANNELS: u32; // vec4s
override PAD_Y: i32;
override PAD_X: i32;
override TILES_Y: u32; // tiles in one image
override TILES_X: u32;
override COUNT: u32; // threads: tiles in the batch * CHANNELS
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> transformed: array<vec4f>;

fn load(image: i32, row: i32, column: i32, c: u32) -> vec4f {
  let inside = (row >= 0) & (row < HEIGHT) & (column >= 0) & (column < WIDTH);
  let at = ((image * HEIGHT + clamp(row, 0, HEIGHT - 1)) * WIDTH + clamp(column, 0, WIDTH - 1)) * i32(CHANNELS);
  return select(vec4f(), x[u32(at) + c], inside);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let c = i % CHANNELS;
  let tile = i / CHANNELS;
  let line = tile / TILES_X;
  let image = i32(line / TILES_Y);
  let top = 2 * i32(line % TILES_Y) - PAD_Y;
  let left = 2 * i32(tile % TILES_X) - PAD_X;
  let d00 = load(image, top, left, c);
  let d10 = load(image, top + 1, left, c);
  let d20 = load(image, top + 2, left, c);
  let d30 = load(image, top + 3, left, c);
  let d01 = load(image, top, left + 1, c);
  let d11 = load(image, top + 1, left + 1, c);
  let d21 = load(image, top + 2, left + 1, c);
  let d31 = load(image, top + 3, left + 1, c);
  let d02 = load(image, top, left + 2, c);
  let d12 = load(image, top + 1, left + 2, c);
  let d22 = load(image, top + 2, left + 2, c);
  let d32 = load(image, top + 3, left + 2, c);
  let d03 = load(image, top, left + 3, c);
  let d13 = load(image, top + 1, left + 3, c);
  let d23 = load(image, top + 2, left + 3, c);
  let d33 = load(image, top + 3, left + 3, c);
  // Each column by B', then each row by B.
  let e00 = d00 - d20;
  let e10 = d10 + d20;
  let e20 = d20 - d10;
  let e30 = d10 - d30;
  let e01 = d01 - d21;
  let e11 = d11 + d21;
  let e21 = d21 - d11;
  let e31 = d11 - d31;
  let e02 = d02 - d22;
  let e12 = d12 + d22;
  let e22 = d22 - d12;
  let e32 = d12 - d32;
  let e03 = d03 - d23;
  let e13 = d13 + d23;
  let e23 = d23 - d13;
  let e33 = d13 - d33;
  transformed[i] = e00 - e02;
  transformed[i + COUNT] = e01 + e02;
  transformed[i + 2u * COUNT] = e02 - e01;
  transformed[i + 3u * COUNT] = e01 - e03;
  transformed[i + 4u * COUNT] = e10 - e12;
  transformed[i + 5u * COUNT] = e11 + e12;
  transformed[i + 6u * COUNT] = e12 - e11;
  transformed[i + 7u * COUNT] = e11 - e13;
  transformed[i + 8u * COUNT] = e20 - e22;
  transformed[i + 9u * COUNT] = e21 + e22;
  transformed[i + 10u * COUNT] = e22 - e21;
  transformed[i + 11u * COUNT] = e21 - e23;
  transformed[i + 12u * COUNT] = e30 - e32;
  transformed[i + 13u * COUNT] = e31 + e32;
  transformed[i + 14u * COUNT] = e32 - e31;
  transformed[i + 15u * COUNT] = e31 - e33;
}
