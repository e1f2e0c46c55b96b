// The stack of one namespace: its pipelines on their schedules, with their logs and alarms, and its site where CloudFront serves it.

import { Aws, CfnOutput, CfnParameter, Fn, Stack } from "aws-cdk-lib";
import { CfnScheduleGroup } from "aws-cdk-lib/aws-scheduler";
import type { Construct } from "constructs";

import { placesOf } from "../src/settings/namespace.ts";
import { makeLogin, makeRoleTask } from "./databaseRole.ts";
import { makeDistribution } from "./distribution.ts";
import { idOf, type Imported, namespaceStackName, sharedName } from "./names.ts";
import { makePipelineAlarms } from "./pipelineAlarms.ts";
import { makeSchedules } from "./pipelineSchedule.ts";
import { makePipelineTask } from "./pipelineTask.ts";
import type { Settings } from "./settings.ts";
import type { DeployedPipeline } from "./settingsOfPipelines.ts";
import { tellStoppedTasks } from "./stoppedTasks.ts";
import { isProtected, type Target } from "./target.ts";

export interface NamespaceProps {
  readonly target: Target;
  readonly settings: Settings;
  readonly pipelines: readonly DeployedPipeline[];
}

/** Makes the stack of a namespace. */
export function makeNamespaceStack(scope: Construct, props: NamespaceProps): Stack {
  const { target, settings, pipelines } = props;
  const { stage, namespace } = target;
  const name = namespaceStackName(target);
  const stack = new Stack(scope, name, {
    stackName: name,
    description: `hdash ${stage}: the namespace ${namespace}`,
    terminationProtection: isProtected(target),
    analyticsReporting: false,
    tags: { app: "hdash", stage, namespace },
  });
  const shared = new Map<string, CfnParameter>();
  const imported: Imported = (what) => {
    const known = shared.get(what);
    if (known !== undefined) return known.valueAsString;
    const parameter = new CfnParameter(stack, `Shared${what}`, {
      type: "AWS::SSM::Parameter::Value<String>",
      default: sharedName(stage, what),
    });
    shared.set(what, parameter);
    return parameter.valueAsString;
  };
  const topicArn = imported("AlarmTopic");
  const site =
    settings.site === "cloudfront" ? makeDistribution(stack, target, imported, settings) : null;
  const siteUrl = site?.siteUrl ?? `${imported("SiteAddress")}/${placesOf(namespace).prefix}`;
  const network = {
    subnets: Fn.split(",", imported("TaskSubnets")),
    securityGroups: [imported("TaskSecurityGroup")],
    assignPublicIp: settings.network === "public" ? "ENABLED" : "DISABLED",
  };
  // Before the group's schedules, and by name: the role that runs them trusts this group only.
  const group = new CfnScheduleGroup(stack, "Schedules", { name });
  const login = makeLogin(stack, target);
  const role = makeRoleTask(stack, { target, settings, imported, login });
  const loginArn = login.ref;
  const tasks = pipelines.map((pipeline) =>
    makePipelineTask(stack, { target, settings, pipeline, siteUrl, imported, loginArn }),
  );
  makeSchedules(stack, { target, group, tasks, network, imported, topicArn });
  // Of a pipeline that is paused nobody expects a run.
  for (const { pipeline, logGroup } of tasks.filter((task) => task.pipeline.enabled)) {
    makePipelineAlarms(stack, { target, pipeline, logGroup, topicArn });
  }
  tellStoppedTasks(stack, { target, pipelines, cluster: imported("Cluster"), topicArn });

  const say = (id: string, value: string, description: string): void => {
    new CfnOutput(stack, id, { value, description });
  };
  say("SiteUrl", siteUrl, "Where people see the site");
  if (site !== null && settings.domain !== null) {
    say(
      "SiteTarget",
      site.distribution.attrDomainName,
      "What the site's name has to lead to (DNS)",
    );
  }
  say("Namespace", namespace, "The namespace");
  say("Region", Aws.REGION, "Its region");
  // What infra/runTask.ts starts a task with.
  say("Cluster", imported("Cluster"), "The cluster that its tasks run in");
  say("Subnets", imported("TaskSubnets"), "Subnets of its tasks");
  say("SecurityGroup", imported("TaskSecurityGroup"), "Security group of its tasks");
  say("AssignPublicIp", network.assignPublicIp, "Whether its tasks have public addresses");
  // Not called as those of pipelines: what may run in any container must not get into this one.
  say("DatabaseRoleTask", role.definition.ref, "Task definition of what makes its database role");
  say("DatabaseRoleLogs", role.logGroup.ref, "Log group of what makes its database role");
  say("DatabaseRoleSecret", login.ref, "Secret with the login of its database role");
  // A task that could do nothing but fail is not offered to be started.
  for (const { pipeline, definition, logGroup } of tasks.filter((one) => one.pipeline.isReady)) {
    say(idOf("Task", pipeline.name), definition.ref, `Task definition of ${pipeline.name}`);
    say(idOf("Logs", pipeline.name), logGroup.ref, `Log group of ${pipeline.name}`);
  }
  return stack;
}
