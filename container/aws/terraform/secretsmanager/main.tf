# moonwatch's enrolment secret in Secrets Manager, and an ECS task role that may read it.
#
# The value is set afterwards, so that it is in no state file:
#   aws secretsmanager put-secret-value --secret-id moonwatch/enroll --secret-string file://secret.txt

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

variable "secret_name" {
  type        = string
  default     = "moonwatch/enroll"
  description = "Name of the secret."
}

variable "key_arn" {
  type        = string
  default     = null
  description = "Key to encrypt it with, when it is to be a customer-managed one."
}

data "aws_partition" "current" {}
data "aws_region" "current" {}

resource "aws_secretsmanager_secret" "enroll" {
  name        = var.secret_name
  description = "Enrolment secret of the security sensor"
  kms_key_id  = var.key_arn
}

data "aws_iam_policy_document" "read_secret" {
  statement {
    sid       = "MoonwatchEnrolment"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.enroll.arn]
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
        values   = ["secretsmanager.${data.aws_region.current.name}.${data.aws_partition.current.dns_suffix}"]
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
  value       = aws_secretsmanager_secret.enroll.arn
}
