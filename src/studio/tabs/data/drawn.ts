// The names of drawn people.
export const drawnName = (person: number) => `Drawn person ${person + 1}`;

/** Whether a person is drawn, and was not given another name. */
export const isDrawnName = (name: string) => /^Drawn person \d+$/.test(name);
