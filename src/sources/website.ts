// Looks whether a published website answers.

import { type Http, HttpError } from "./http.ts";

/** Asks for a page and returns the status it is answered with, whatever it is. Throws where nobody answers. */
export async function websiteStatus(
  http: Http,
  url: string,
  signal?: AbortSignal,
): Promise<number> {
  try {
    const answer = await http.stream({ subject: `the website ${url}`, url, endpoint: url, signal });
    answer.discard();
    return answer.status;
  } catch (error) {
    if (error instanceof HttpError) return error.status;
    throw error;
  }
}
