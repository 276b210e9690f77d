// The leak gate: a resource that a test opened and did not close fails that test, not the next.

/** Counts the resources that the process holds open, by kind. */
export function openResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (/^(TTYWrap|PipeWrap|Immediate|CloseReq|FSReqPromise|FSReqCallback)$/.test(kind)) continue;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** Remembers which resources are open; the function it returns throws if more are open `graceMs` later. */
export function leakGate(graceMs = 2_000): () => Promise<void> {
  const before = openResources();
  return async () => {
    const until = performance.now() + graceMs;
    let more: string[] = [];
    do {
      more = [...openResources()]
        .filter(([kind, count]) => count > (before.get(kind) ?? 0))
        .map(([kind, count]) => `${count - (before.get(kind) ?? 0)} ${kind}`);
      if (more.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    } while (performance.now() < until);
    throw new Error(`left open: ${more.join(', ')}`);
  };
}
