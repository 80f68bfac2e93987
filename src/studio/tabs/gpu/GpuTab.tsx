export function GpuTab() {
  return <p class="quiet">Train a network first.</p>;
}
