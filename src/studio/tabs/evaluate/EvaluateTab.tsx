export function EvaluateTab() {
  return <p class="quiet">Train a network first.</p>;
}
