// The README's commands, as they stand there, on drawn pictures; those of docs/ follow in tour.hosts.test.ts.
import { readExamples } from "./support/examples.ts";
import { runTour, tourFolders } from "./support/tour.ts";

const examples = (await readExamples()).filter(({ tour, place }) => tour && place.startsWith("README.md"));
runTour(examples, tourFolders());
