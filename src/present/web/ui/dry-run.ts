import { useCallback, useState } from "preact/hooks";
import type { DryRunJson } from "../../api/quarantine-contract.ts";
import { announce } from "../state/announcer.ts";
import { sendApi, type RequestFailure } from "../state/client.ts";
import type { RulingRequest } from "../state/ruling-draft.ts";
import { dryRunSentence } from "../state/ruling-words.ts";
import { tenantWords } from "./ownership.tsx";
import { useSending } from "./sending.ts";

export interface DryRun {
  readonly busy: boolean;
  readonly failure: RequestFailure | undefined;
  readonly answer: DryRunJson | undefined;
  /** The request that `answer` belongs to, as JSON. */
  readonly of: string | undefined;
  readonly run: (request: RulingRequest) => Promise<void>;
}

/** Asks what a ruling would do; the latest answer stays until the next one. */
export function useDryRun(revises: string | undefined): DryRun {
  const { busy, failure, send } = useSending();
  const [state, setState] = useState<{ of: string; answer: DryRunJson } | undefined>(undefined);
  const run = useCallback(
    async (request: RulingRequest) => {
      const body = { ...request, ...(revises === undefined ? {} : { revises }) };
      const done = await send(() => sendApi<DryRunJson>("POST", "quarantine/dry-run", body));
      if (done === undefined) return;
      setState({ of: JSON.stringify(request), answer: done.answer });
      announce(dryRunSentence(done.answer, tenantWords));
    },
    [revises, send],
  );
  return { busy, failure, answer: state?.answer, of: state?.of, run };
}
