// The schema of the studies that tests tell: a type whose records are people, one with arrays, one that deletes.

import { type LaidOut, shapeOf } from "../../../../src/jobs/cohort/data/recordShape.ts";
import { readSchema } from "../../../../src/jobs/cohort/data/schema.ts";

const FIELDS = { ParticipantIdentifier: "string", Date: "string", Value: "double" } as const;
const SCHEMA = {
  version: 1,
  cohorts: ["adults_v1", "pediatric_v1"],
  tie: "InsertedDate",
  participant: "ParticipantIdentifier",
  types: {
    EnrolledParticipants: { key: ["ParticipantIdentifier"], columns: FIELDS },
    FitbitDevices: { key: ["ParticipantIdentifier", "Date"], columns: FIELDS },
    FitbitSleepLogs: {
      key: ["ParticipantIdentifier", "Date"],
      columns: { ...FIELDS, Details: { array: { struct: { Value: "double" } } } },
    },
    HealthKitV2Samples: { key: ["ParticipantIdentifier", "Date"], columns: FIELDS },
    HealthKitV2Samples_Deleted: {
      key: ["ParticipantIdentifier", "Date"],
      columns: FIELDS,
      deletes: "HealthKitV2Samples",
    },
  },
};

let made: LaidOut | null = null;

/** Lays the schema out. */
export function laidOut(): LaidOut {
  if (made !== null) return made;
  const schema = readSchema(JSON.stringify(SCHEMA), "sample.json");
  const shapes = new Map(
    [...schema.types.values()].map((type) => [type.name, shapeOf(type, schema.tie)]),
  );
  return (made = { version: 1, name: "1-sample", shapes });
}
