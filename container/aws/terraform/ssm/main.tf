# Lets an ECS task role read moonwatch's enrolment secret from SSM Parameter Store.
#
# The parameter is made beforehand, so that its value is in no state file:
#   aws ssm put-parameter --name /moonwatch/enroll --type SecureString --value file://secret.txt

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "task_role_name" {
  type        = string
  description = "Name of the task role of the tasks that moonwatch runs in."
}

variable "parameter_name" {
  type        = string
  default     = "/moonwatch/enroll"
  description = "Name of the SecureString."
  validation {
    condition     = startswith(var.parameter_name, "/")
    error_message = "The name must begin with a slash."
  }
}

variable "key_arn" {
  type        = string
  default     = null
  description = "Key that encrypts it, when it is a customer-managed one."
}

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  # The name begins with the slash that follows "parameter".
  parameter_arn = join(":", [
    "arn", data.aws_partition.current.partition, "ssm", data.aws_region.current.name,
    data.aws_caller_identity.current.account_id, "parameter${var.parameter_name}",
  ])
}

data "aws_iam_policy_document" "read_secret" {
  statement {
    sid       = "MoonwatchEnrolment"
    actions   = ["ssm:GetParameter"]
    resources = [local.parameter_arn]
  }

  dynamic "statement" {
    for_each = var.key_arn == null ? [] : [var.key_arn]
    content {
      sid       = "MoonwatchEnrolmentKey"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["ssm.${data.aws_region.current.name}.${data.aws_partition.current.dns_suffix}"]
      }
    }
  }
}

resource "aws_iam_role_policy" "read_secret" {
  name   = "moonwatch-enrolment"
  role   = var.task_role_name
  policy = data.aws_iam_policy_document.read_secret.json
}

output "enroll_secret" {
  description = "Value of MOONWATCH_ENROLL_SECRET in the task definition."
  value       = local.parameter_arn
}
