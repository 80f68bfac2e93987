// output = FACTOR x, with x float32 or packed float16: converts one part of a tensor that is stored in parts.
override OFFSET: u32; // of the part in output, in pairs
override FACTOR: f32;
override HALF: u32;
override COUNT: u32; // pairs
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec2f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  if (HALF == 1u) {
    output[OFFSET + i] = FACTOR * unpack2x16float(x[i]);
  } else {
    output[OFFSET + i] = FACTOR * bitcast<vec2f>(vec2u(x[2u * i], x[2u * i + 1u]));
  }
}
