export function RecognizeTab() {
  return <p class="quiet">Train a network first.</p>;
}
