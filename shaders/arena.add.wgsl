// values += terms, in place; four per thread.
override COUNT: u32; // vec4s
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(1) var<storage, read> terms: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    values[i] += terms[i];
  }
}
