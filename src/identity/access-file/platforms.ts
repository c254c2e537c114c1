/**
 * What is known of issuers that serve many owners at once: a grant that binds none of them holds for everybody there.
 * Claims are those that the platforms document (GitHub: "OpenID Connect reference"; GitLab: "OpenID Connect
 * authentication using ID tokens").
 */
export interface Platform {
  readonly name: string;
  readonly claims: readonly string[];
  /** Those of `claims` that are not text. */
  readonly otherKinds: readonly string[];
  /** Numbers that stay with one owner forever. */
  readonly ownerIds: readonly string[];
  /** Names of owners: whoever gives one up can lose it to somebody else. */
  readonly ownerNames: readonly string[];
  /** Claims that begin with the name of an owner and a `/`. */
  readonly ownerPaths: readonly string[];
  /** What to bind. */
  readonly advice: string;
}

const github: Platform = {
  name: 'GitHub',
  claims: words(
    'sub actor actor_id base_ref check_run_id enterprise enterprise_id environment environment_node_id event_name head_ref',
    'job_workflow_ref job_workflow_sha ref ref_protected ref_type repository repository_id repository_owner repository_owner_id',
    'repository_visibility run_attempt run_id run_number runner_environment sha workflow workflow_ref workflow_sha',
    'iss aud exp nbf iat jti',
  ),
  otherKinds: words('exp nbf iat'),
  ownerIds: words('repository_id repository_owner_id enterprise_id'),
  ownerNames: words('repository_owner enterprise'),
  ownerPaths: words('repository job_workflow_ref workflow_ref'),
  advice: 'repository_id or repository_owner_id',
};

const gitlab: Platform = {
  name: 'GitLab',
  claims: words(
    'sub ci_config_ref_uri ci_config_sha deployment_tier deployment_action environment environment_action environment_protected',
    'groups_direct job_config job_id job_namespace_id job_namespace_path job_policy_ref_sha job_policy_ref_uri job_project_id',
    'job_project_path job_source namespace_id namespace_path pipeline_id pipeline_source project_id project_path',
    'project_visibility ref ref_path ref_protected ref_type runner_environment runner_id sha user_access_level user_email',
    'user_id user_identities user_login iss aud exp nbf iat jti',
  ),
  otherKinds: words('exp nbf iat runner_id groups_direct user_identities job_config'),
  ownerIds: words('project_id namespace_id job_project_id job_namespace_id'),
  ownerNames: [],
  ownerPaths: words('project_path namespace_path job_project_path job_namespace_path'),
  advice: 'job_project_id with job_namespace_id',
};

/** Of an issuer that everybody can get tokens of; undefined for others. */
export function platformOf(issuer: string): Platform | undefined {
  return platforms.get(issuer.replace(/\/$/, ''));
}

const platforms: ReadonlyMap<string, Platform> = new Map([
  ['https://token.actions.githubusercontent.com', github],
  ['https://gitlab.com', gitlab],
]);

function words(...lines: readonly string[]): readonly string[] {
  return lines.join(' ').split(' ');
}
