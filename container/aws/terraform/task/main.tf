# Puts the sensor in front of the containers of an ECS task: takes container definitions, gives them back wrapped, for
# aws_ecs_task_definition.  The same as `moonwatch patch` does to a file, for definitions that Terraform computes.
#
#   module "moonwatch" {
#     source     = "…/container/aws/terraform/task"
#     image      = "REGISTRY/moonwatch:0.1.0"
#     enroll     = "ssm:/moonwatch/enroll"
#     containers = [{ name = "web", image = "nginx:1.27", entryPoint = ["/docker-entrypoint.sh"], command = ["nginx", "-g", "daemon off;"] }]
#   }
#
#   resource "aws_ecs_task_definition" "web" {
#     container_definitions = module.moonwatch.container_definitions
#     dynamic "volume" {
#       for_each = module.moonwatch.volumes
#       content {
#         name = volume.value
#       }
#     }
#   }

terraform {
  required_version = ">= 1.3"
}

variable "image" {
  type        = string
  description = "The sensor's image."
}

variable "containers" {
  type        = any
  description = "Container definitions, as ECS spells them (camelCase). Those to be wrapped must say their entryPoint: Terraform cannot look into images."
}

variable "exclude" {
  type        = list(string)
  default     = []
  description = "Names of containers to leave as they are."
}

variable "mode" {
  type        = string
  default     = "sidecar"
  description = "Where the tree comes from: sidecar (volumesFrom), volume (copied by `moonwatch install`), build (it is in the images)."
  validation {
    condition     = contains(["sidecar", "volume", "build"], var.mode)
    error_message = "The mode is sidecar, volume or build."
  }
}

variable "enroll" {
  type        = string
  default     = null
  description = "Reference to the enrolment secret (ssm:NAME, secretsmanager:NAME, an ARN), never the secret itself."
}

variable "environment" {
  type        = map(string)
  default     = {}
  description = "More variables for the sensor, MOONWATCH_…; those a container sets itself win."
}

variable "name" {
  type        = string
  default     = "moonwatch"
  description = "Name of the sensor's container and volume."
}

locals {
  tree    = "/opt/moonwatch"
  program = "${local.tree}/bin/moonwatch"

  environment = merge(var.environment, var.enroll == null ? {} : { MOONWATCH_ENROLL_SECRET = var.enroll })

  # What is added to each; JSON, since the elements of a list of objects must be of one type in Terraform.
  wrapped = [
    for c in var.containers : contains(var.exclude, c.name) || try(c.entryPoint[0], "") == local.program ? jsonencode(c) : jsonencode(merge(c, {
      entryPoint = concat([local.program, "run", "--"], try(c.entryPoint, []))
      linuxParameters = merge(try(c.linuxParameters, {}), {
        capabilities = merge(try(c.linuxParameters.capabilities, {}), {
          add = distinct(concat(try(c.linuxParameters.capabilities.add, []), ["SYS_PTRACE"]))
        })
      })
      environment = concat(try(c.environment, []), [
        for name, value in local.environment : { name = name, value = value }
        if !contains(concat(try(c.environment[*].name, []), try(c.secrets[*].name, [])), name)
      ])
      }, var.mode == "build" ? {} : {
      dependsOn = concat(try(c.dependsOn, []), [{ containerName = var.name, condition = var.mode == "volume" ? "SUCCESS" : "START" }])
      }, var.mode != "sidecar" ? {} : {
      volumesFrom = concat(try(c.volumesFrom, []), [{ sourceContainer = var.name, readOnly = true }])
      }, var.mode != "volume" ? {} : {
      mountPoints = concat(try(c.mountPoints, []), [{ sourceVolume = var.name, containerPath = local.tree, readOnly = true }])
    }))
  ]

  sensor = jsonencode(merge({
    name      = var.name
    image     = var.image
    essential = false
    command   = var.mode == "volume" ? ["install", local.tree] : ["version"]
    }, var.mode != "volume" ? {} : {
    mountPoints = [{ sourceVolume = var.name, containerPath = local.tree, readOnly = false }]
  }))
}

output "container_definitions" {
  description = "JSON for aws_ecs_task_definition."
  value       = "[${join(",", concat(local.wrapped, var.mode == "build" ? [] : [local.sensor]))}]"

  precondition {
    condition     = alltrue([for c in var.containers : contains(var.exclude, c.name) || length(try(c.entryPoint, [])) > 0])
    error_message = "Each container must say its entryPoint (docker inspect IMAGE shows the image's own), or be in exclude."
  }
}

output "volumes" {
  description = "Names of volumes the task must have."
  value       = var.mode == "volume" ? [var.name] : []
}
