// output[b, c] = the mean of x[b, y, x, c] over all pixels. One workgroup per image and 64 channels; adjacent threads
// read adjacent channels.
override PIXELS: u32;
override CHANNELS: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= CHANNELS) {
    return;
  }
  var total = 0.0;
  for (var pixel = 0u; pixel < PIXELS; pixel++) {
    total += x[(id.y * PIXELS + pixel) * CHANNELS + id.x];
  }
  output[id.y * CHANNELS + id.x] = total / f32(PIXELS);
}
