// dilated[b, STRIDE_Y i, STRIDE_X j, o] = gradient[b, i, j, o], zeros elsewhere: turns the output gradient of a strided
// convolution into that of the same convolution with stride 1.
override COUNT: u32; // elements of dilated
override ROW: u32; // threads in one row of the grid
override HEIGHT: u32; // of gradient
override WIDTH: u32;
override FILTERS: u32;
override DILATED_HEIGHT: u32;
override DILATED_WIDTH: u32;
override STRIDE_Y: u32;
override STRIDE_X: u32;

@group(0) @binding(0) var<storage, read> gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> dilated: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = id.y * ROW + id.x;
  if (at >= COUNT) {
    return;
  }
  let o = at % FILTERS;
  let j = at / FILTERS % DILATED_WIDTH;
  let line = at / (FILTERS * DILATED_WIDTH);
  let i = line % DILATED_HEIGHT;
  let image = line / DILATED_HEIGHT;
  let source = ((image * HEIGHT + i / STRIDE_Y) * WIDTH + j / STRIDE_X) * FILTERS + o;
  dilated[at] = select(0.0, gradient[source], (i % STRIDE_Y == 0u) & (j % STRIDE_X == 0u));
}
