// The worst mistakes at the threshold, as pictures.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ComparedPair, ModelEvaluation } from "../../messages.ts";
import { request } from "../../page/client.ts";
import { FilePicture } from "../../page/FilePicture.tsx";
import { accepted } from "./counting.ts";

const shown = 8;

export function Mistakes({ evaluation, threshold }: { evaluation: ModelEvaluation; threshold: number }) {
  const { model, nearestImpostors, farthestGenuine, genuine, impostor } = evaluation;
  return (
    <section class="card">
      <h2>The worst mistakes</h2>
      <p class="quiet measure">
        At the threshold above. Check them before you trust the results: wrong labels and hidden faces show up here
        first.
      </p>
      <div class="columns">
        <Group
          title="False accepts: different people taken for one"
          none="None at this threshold."
          model={model}
          all={accepted(impostor, threshold)}
          pairs={nearestImpostors.filter(({ distance }) => distance <= threshold)}
        />
        <Group
          title="False rejects: the same person not recognized"
          none="None at this threshold."
          model={model}
          all={genuine.length - accepted(genuine, threshold)}
          pairs={farthestGenuine.filter(({ distance }) => distance > threshold)}
        />
      </div>
    </section>
  );
}

interface GroupProps {
  readonly title: string;
  readonly none: string;
  readonly model: string;
  readonly all: number;
  readonly pairs: readonly ComparedPair[];
}

function Group({ title, none, model, all, pairs }: GroupProps) {
  const most = useSignal(shown);
  const visible = pairs.slice(0, most.value);
  return (
    <div class="mistakes">
      <h3>{title}</h3>
      {all === 0 ? (
        <p class="quiet">{none}</p>
      ) : (
        <>
          <p class="quiet small">
            {visible.length < all ? `The worst ${visible.length} of ${all}` : `All ${all}`}, worst first
          </p>
          <ul class="pairs">
            {visible.map(({ left, right, names, distance }) => (
              <li key={`${left} ${right}`}>
                <figure>
                  <div class="pair">
                    <ModelPicture model={model} picture={left} name={names[0]} />
                    <ModelPicture model={model} picture={right} name={names[1]} />
                  </div>
                  <figcaption>
                    <bdi>{names[0]}</bdi>
                    <bdi>{names[1]}</bdi>
                    <span class="quiet">distance {distance.toFixed(3)}</span>
                  </figcaption>
                </figure>
              </li>
            ))}
          </ul>
          {visible.length < pairs.length && (
            <button
              type="button"
              class="plain"
              onClick={() => {
                most.value = pairs.length;
              }}
            >
              Show more
            </button>
          )}
        </>
      )}
    </div>
  );
}

function ModelPicture({ model, picture, name }: { model: string; picture: number; name: string }) {
  const file = useSignal<Blob | null>(null);
  useEffect(() => {
    let wanted = true;
    request("evaluate.picture", { model, picture }).then(
      (blob) => {
        if (wanted) file.value = blob;
      },
      () => undefined, // it was removed; only its name is shown
    );
    return () => {
      wanted = false;
    };
  }, [model, picture, file]);
  return <FilePicture file={file.value} name={name} />;
}
