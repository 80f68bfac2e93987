// Adds the chunks' sums in their order. Per group and channel: sums of g and g * xhat, for the input gradient; over all
// groups: d loss / d beta = sum of g, d loss / d gamma = sum of g * xhat.
override CHANNELS: u32;
override CHUNKS: u32;
override GROUPS: u32;

@group(0) @binding(0) var<storage, read> partial: array<vec2f>; // [GROUPS, CHUNKS, CHANNELS]
@group(0) @binding(1) var<storage, read_write> sums: array<vec2f>; // [GROUPS, CHANNELS]
@group(0) @binding(2) var<storage, read_write> gamma_gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> beta_gradient: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c >= CHANNELS) {
    return;
  }
  var all = vec2f(0.0);
  for (var group = 0u; group < GROUPS; group++) {
    var total = vec2f(0.0);
    for (var chunk = 0u; chunk < CHUNKS; chunk++) {
      total += partial[(group * CHUNKS + chunk) * CHANNELS + c];
    }
    sums[group * CHANNELS + c] = total;
    all += total;
  }
  beta_gradient[c] = all.x;
  gamma_gradient[c] = all.y;
}
