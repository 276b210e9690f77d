// Waiting for what nothing announces: looked at again and again, for a bounded time.
const LOOK_MS = 10;
const MOST_MS = 60_000;

/** Resolves once something holds. Rejects, saying what does not, when it never does within the time. */
export async function until(holds: () => boolean, what: () => string = () => 'it did not come to hold', ms = MOST_MS): Promise<void> {
  for (const end = Date.now() + ms; !holds(); ) {
    if (Date.now() > end) throw new Error(what());
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
