"""The documented members of replies, for type checkers and editors: replies themselves are `Response` and `Record`.

Written by tests/support/typed_replies.py from the contract. It is a stub: import it under `TYPE_CHECKING` only.
"""

from typing import Any, Literal, Optional, TypedDict, overload

from modelarts._transport.response import Response
from modelarts._wire.json_records import Record
from modelarts._wire.v1.status import JobStatus

class Framework(TypedDict):
    """A row of `get_framework_list`."""

    framework_type: str
    framework_version: str


class CreatedJob(Response):
    job_id: int
    job_name: str
    status: JobStatus
    create_time: int
    version_id: int
    resource_id: str
    version_name: str

    @overload
    def __getitem__(self, name: Literal["job_id", "create_time", "version_id"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["job_name", "resource_id", "version_name"]) -> str: ...
    @overload
    def __getitem__(self, name: Literal["status"]) -> JobStatus: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class JobRow(Record):
    job_id: int
    job_name: str
    version_id: int
    status: JobStatus
    create_time: int
    duration: int
    job_desc: str
    version_count: int

    @overload
    def __getitem__(self, name: Literal["job_id", "version_id", "create_time", "duration", "version_count"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["job_name", "job_desc"]) -> str: ...
    @overload
    def __getitem__(self, name: Literal["status"]) -> JobStatus: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class JobList(Response):
    job_total_count: int
    job_count_limit: int
    jobs: list[JobRow]
    quotas: int

    @overload
    def __getitem__(self, name: Literal["job_total_count", "job_count_limit", "quotas"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["jobs"]) -> list[JobRow]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class Parameter(Record):
    label: str
    value: str

    @overload
    def __getitem__(self, name: Literal["label", "value"]) -> str: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class DataSource(Record):
    dataset_id: str
    dataset_version: str
    type: str
    data_url: str

    @overload
    def __getitem__(self, name: Literal["dataset_id", "dataset_version", "type", "data_url"]) -> str: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class ClassMetricValues(Record):
    recall: float
    precision: float
    accuracy: float

    @overload
    def __getitem__(self, name: Literal["recall", "precision", "accuracy"]) -> float: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class ClassMetricMeta(Record):
    class_name: int
    class_id: int

    @overload
    def __getitem__(self, name: Literal["class_name", "class_id"]) -> int: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class ClassMetric(Record):
    metric_values: ClassMetricValues
    reserved_data: dict[str, Any]
    metric_meta: ClassMetricMeta

    @overload
    def __getitem__(self, name: Literal["metric_values"]) -> ClassMetricValues: ...
    @overload
    def __getitem__(self, name: Literal["reserved_data"]) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, name: Literal["metric_meta"]) -> ClassMetricMeta: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class TotalMetricValues(Record):
    f1_score: float
    recall: float
    precision: float
    accuracy: float
    id: int

    @overload
    def __getitem__(self, name: Literal["f1_score", "recall", "precision", "accuracy"]) -> float: ...
    @overload
    def __getitem__(self, name: Literal["id"]) -> int: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class TotalMetric(Record):
    total_metric_meta: dict[str, Any]
    total_reserved_data: dict[str, Any]
    total_metric_values: TotalMetricValues

    @overload
    def __getitem__(self, name: Literal["total_metric_meta", "total_reserved_data"]) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, name: Literal["total_metric_values"]) -> TotalMetricValues: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class ModelMetrics(Record):
    metric: list[ClassMetric]
    total_metric: TotalMetric

    @overload
    def __getitem__(self, name: Literal["metric"]) -> list[ClassMetric]: ...
    @overload
    def __getitem__(self, name: Literal["total_metric"]) -> TotalMetric: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class SystemMetrics(Record):
    cpuUsage: list[str]
    memUsage: list[str]
    gpuUtil: list[str]
    gpuMemUsage: list[str]
    diskReadRate: list[str]
    diskWriteRate: list[str]
    recvBytesRate: list[str]
    sendBytesRate: list[str]
    interval: int

    @overload
    def __getitem__(
        self, name: Literal[
            "cpuUsage", "memUsage", "gpuUtil", "gpuMemUsage", "diskReadRate", "diskWriteRate", "recvBytesRate",
            "sendBytesRate",
        ],
    ) -> list[str]: ...
    @overload
    def __getitem__(self, name: Literal["interval"]) -> int: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class NfsVolume(Record):
    id: str
    src_path: str
    dest_path: str
    read_only: bool

    @overload
    def __getitem__(self, name: Literal["id", "src_path", "dest_path"]) -> str: ...
    @overload
    def __getitem__(self, name: Literal["read_only"]) -> bool: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class HostPathVolume(Record):
    src_path: str
    dest_path: str
    read_only: bool

    @overload
    def __getitem__(self, name: Literal["src_path", "dest_path"]) -> str: ...
    @overload
    def __getitem__(self, name: Literal["read_only"]) -> bool: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class Volume(Record):
    nfs: NfsVolume
    host_path: HostPathVolume

    @overload
    def __getitem__(self, name: Literal["nfs"]) -> NfsVolume: ...
    @overload
    def __getitem__(self, name: Literal["host_path"]) -> HostPathVolume: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class JobInfo(Response):
    job_id: int
    job_name: str
    job_desc: str
    version_id: int
    version_name: str
    pre_version_id: Optional[int]
    engine_type: Optional[int]
    engine_name: str
    engine_id: int
    engine_version: str
    status: JobStatus
    app_url: str
    boot_file_url: str
    create_time: int
    parameter: list[Parameter]
    duration: int
    spec_id: int
    core: str
    cpu: str
    gpu_num: int
    gpu_type: str
    worker_server_num: int
    data_url: str
    train_url: str
    log_url: Optional[str]
    dataset_version_id: Optional[str]
    dataset_id: Optional[str]
    data_source: list[DataSource]
    model_id: Optional[int]
    model_metric_list: ModelMetrics
    system_metric_list: SystemMetrics
    user_image_url: Optional[str]
    user_command: Optional[str]
    resource_id: str
    dataset_name: Optional[str]
    spec_code: Optional[str]
    start_time: int
    volumes: Optional[list[Volume]]
    dataset_version_name: Optional[str]
    pool_name: str
    pool_id: str
    nas_mount_path: Optional[str]
    nas_share_addr: Optional[str]
    nas_type: str
    gpu: Optional[bool]
    model_outputs: list[dict[str, Any]]
    error_result: Optional[str]
    user_frame_image: Optional[str]
    task_summary: dict[str, Any]
    max_num: int
    is_zombie: Optional[bool]
    flavor_code: str
    outputs: Optional[list[dict[str, Any]]]
    algorithm_id: Optional[str]
    pool_type: str
    autosearch_config: Optional[dict[str, Any]]
    inputs: Optional[list[dict[str, Any]]]
    retrain_model_id: Optional[str]
    pod_version: str
    storage: str
    no_resource: bool
    npu_info: Optional[dict[str, Any]]
    job_type: int

    @overload
    def __getitem__(
        self, name: Literal[
            "job_id", "version_id", "engine_id", "create_time", "duration", "spec_id", "gpu_num",
            "worker_server_num", "start_time", "max_num", "job_type",
        ],
    ) -> int: ...
    @overload
    def __getitem__(
        self, name: Literal[
            "job_name", "job_desc", "version_name", "engine_name", "engine_version", "app_url", "boot_file_url",
            "core", "cpu", "gpu_type", "data_url", "train_url", "resource_id", "pool_name", "pool_id",
            "nas_type", "flavor_code", "pool_type", "pod_version", "storage",
        ],
    ) -> str: ...
    @overload
    def __getitem__(self, name: Literal["pre_version_id", "engine_type", "model_id"]) -> Optional[int]: ...
    @overload
    def __getitem__(self, name: Literal["status"]) -> JobStatus: ...
    @overload
    def __getitem__(self, name: Literal["parameter"]) -> list[Parameter]: ...
    @overload
    def __getitem__(
        self, name: Literal[
            "log_url", "dataset_version_id", "dataset_id", "user_image_url", "user_command", "dataset_name",
            "spec_code", "dataset_version_name", "nas_mount_path", "nas_share_addr", "error_result",
            "user_frame_image", "algorithm_id", "retrain_model_id",
        ],
    ) -> Optional[str]: ...
    @overload
    def __getitem__(self, name: Literal["data_source"]) -> list[DataSource]: ...
    @overload
    def __getitem__(self, name: Literal["model_metric_list"]) -> ModelMetrics: ...
    @overload
    def __getitem__(self, name: Literal["system_metric_list"]) -> SystemMetrics: ...
    @overload
    def __getitem__(self, name: Literal["volumes"]) -> Optional[list[Volume]]: ...
    @overload
    def __getitem__(self, name: Literal["gpu", "is_zombie"]) -> Optional[bool]: ...
    @overload
    def __getitem__(self, name: Literal["model_outputs"]) -> list[dict[str, Any]]: ...
    @overload
    def __getitem__(self, name: Literal["task_summary"]) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, name: Literal["outputs", "inputs"]) -> Optional[list[dict[str, Any]]]: ...
    @overload
    def __getitem__(self, name: Literal["autosearch_config", "npu_info"]) -> Optional[dict[str, Any]]: ...
    @overload
    def __getitem__(self, name: Literal["no_resource"]) -> bool: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class VersionRow(Record):
    version_id: int
    version_name: str
    pre_version_id: Optional[int]
    engine_type: int
    engine_name: str
    engine_id: int
    engine_version: str
    status: JobStatus
    app_url: str
    boot_file_url: str
    create_time: int
    parameter: list[Parameter]
    duration: int
    spec_id: int
    core: str
    cpu: str
    gpu: Optional[bool]
    gpu_num: int
    gpu_type: str
    worker_server_num: int
    data_url: str
    train_url: str
    log_url: str
    dataset_version_id: str
    dataset_id: str
    data_source: list[DataSource]
    model_id: int
    model_metric_list: ModelMetrics
    system_metric_list: SystemMetrics
    user_image_url: str
    user_command: str
    resource_id: str
    dataset_name: str
    start_time: int
    volumes: list[Volume]
    dataset_version_name: str
    pool_name: str
    pool_id: str
    nas_mount_path: str
    nas_share_addr: str
    nas_type: str

    @overload
    def __getitem__(
        self, name: Literal[
            "version_id", "engine_type", "engine_id", "create_time", "duration", "spec_id", "gpu_num",
            "worker_server_num", "model_id", "start_time",
        ],
    ) -> int: ...
    @overload
    def __getitem__(
        self, name: Literal[
            "version_name", "engine_name", "engine_version", "app_url", "boot_file_url", "core", "cpu",
            "gpu_type", "data_url", "train_url", "log_url", "dataset_version_id", "dataset_id",
            "user_image_url", "user_command", "resource_id", "dataset_name", "dataset_version_name",
            "pool_name", "pool_id", "nas_mount_path", "nas_share_addr", "nas_type",
        ],
    ) -> str: ...
    @overload
    def __getitem__(self, name: Literal["pre_version_id"]) -> Optional[int]: ...
    @overload
    def __getitem__(self, name: Literal["status"]) -> JobStatus: ...
    @overload
    def __getitem__(self, name: Literal["parameter"]) -> list[Parameter]: ...
    @overload
    def __getitem__(self, name: Literal["gpu"]) -> Optional[bool]: ...
    @overload
    def __getitem__(self, name: Literal["data_source"]) -> list[DataSource]: ...
    @overload
    def __getitem__(self, name: Literal["model_metric_list"]) -> ModelMetrics: ...
    @overload
    def __getitem__(self, name: Literal["system_metric_list"]) -> SystemMetrics: ...
    @overload
    def __getitem__(self, name: Literal["volumes"]) -> list[Volume]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class VersionList(Response):
    job_id: int
    job_name: str
    job_desc: str
    version_count: int
    versions: list[VersionRow]

    @overload
    def __getitem__(self, name: Literal["job_id", "version_count"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["job_name", "job_desc"]) -> str: ...
    @overload
    def __getitem__(self, name: Literal["versions"]) -> list[VersionRow]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class LogFiles(Response):
    log_file_list: list[str]

    @overload
    def __getitem__(self, name: Literal["log_file_list"]) -> list[str]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class LogLines(Response):
    content: str
    lines: int
    start_line: str
    end_line: str

    @overload
    def __getitem__(self, name: Literal["content", "start_line", "end_line"]) -> str: ...
    @overload
    def __getitem__(self, name: Literal["lines"]) -> int: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class ConfigRow(Record):
    config_name: str
    config_desc: str
    create_time: int
    engine_type: Optional[int]
    engine_name: str
    engine_id: int
    engine_version: str
    user_image_url: str
    user_command: str

    @overload
    def __getitem__(
        self, name: Literal[
            "config_name", "config_desc", "engine_name", "engine_version", "user_image_url", "user_command",
        ],
    ) -> str: ...
    @overload
    def __getitem__(self, name: Literal["create_time", "engine_id"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["engine_type"]) -> Optional[int]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class ConfigList(Response):
    config_total_count: int
    configs: list[ConfigRow]

    @overload
    def __getitem__(self, name: Literal["config_total_count"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["configs"]) -> list[ConfigRow]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class ConfigInfo(Response):
    config_name: str
    config_desc: str
    worker_server_num: int
    app_url: str
    boot_file_url: str
    model_id: int
    parameter: list[Parameter]
    spec_id: int
    data_url: str
    dataset_id: str
    dataset_version_id: str
    data_source: list[DataSource]
    engine_type: int
    engine_name: str
    engine_id: int
    engine_version: str
    train_url: str
    log_url: str
    user_image_url: str
    user_command: str
    spec_code: str
    gpu_type: str
    create_time: int
    cpu: str
    gpu_num: int
    core: str
    dataset_name: str
    dataset_version_name: str
    pool_id: str
    pool_name: str
    volumes: list[Volume]
    nas_mount_path: str
    nas_share_addr: str
    nas_type: str

    @overload
    def __getitem__(
        self, name: Literal[
            "config_name", "config_desc", "app_url", "boot_file_url", "data_url", "dataset_id",
            "dataset_version_id", "engine_name", "engine_version", "train_url", "log_url", "user_image_url",
            "user_command", "spec_code", "gpu_type", "cpu", "core", "dataset_name", "dataset_version_name",
            "pool_id", "pool_name", "nas_mount_path", "nas_share_addr", "nas_type",
        ],
    ) -> str: ...
    @overload
    def __getitem__(
        self, name: Literal[
            "worker_server_num", "model_id", "spec_id", "engine_type", "engine_id", "create_time", "gpu_num",
        ],
    ) -> int: ...
    @overload
    def __getitem__(self, name: Literal["parameter"]) -> list[Parameter]: ...
    @overload
    def __getitem__(self, name: Literal["data_source"]) -> list[DataSource]: ...
    @overload
    def __getitem__(self, name: Literal["volumes"]) -> list[Volume]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class AlgorithmParameter(Record):
    label: str
    value: str
    required: bool
    placeholder_cn: str
    placeholder_en: str

    @overload
    def __getitem__(self, name: Literal["label", "value", "placeholder_cn", "placeholder_en"]) -> str: ...
    @overload
    def __getitem__(self, name: Literal["required"]) -> bool: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class Algorithm(Record):
    model_id: int
    model_name: str
    model_usage: int
    model_precision: str
    model_size: int
    model_train_dataset: str
    model_dataset_format: str
    model_description_url: str
    parameter: list[AlgorithmParameter]
    create_time: int
    engine_id: int
    engine_name: str
    engine_version: str

    @overload
    def __getitem__(
        self, name: Literal[
            "model_id", "model_usage", "model_size", "create_time", "engine_id",
        ],
    ) -> int: ...
    @overload
    def __getitem__(
        self, name: Literal[
            "model_name", "model_precision", "model_train_dataset", "model_dataset_format",
            "model_description_url", "engine_name", "engine_version",
        ],
    ) -> str: ...
    @overload
    def __getitem__(self, name: Literal["parameter"]) -> list[AlgorithmParameter]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class AlgorithmList(Response):
    model_total_count: int
    models: list[Algorithm]

    @overload
    def __getitem__(self, name: Literal["model_total_count"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["models"]) -> list[Algorithm]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class CreatedVisualization(Response):
    job_id: int
    job_name: str
    status: JobStatus
    create_time: int
    service_url: str

    @overload
    def __getitem__(self, name: Literal["job_id", "create_time"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["job_name", "service_url"]) -> str: ...
    @overload
    def __getitem__(self, name: Literal["status"]) -> JobStatus: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class VisualizationRow(Record):
    job_name: str
    status: JobStatus
    create_time: int
    duration: int
    job_desc: str
    service_url: str
    train_url: str
    job_id: int
    resource_id: str
    schedule: list[dict[str, Any]]
    remaining_duration: Optional[int]

    @overload
    def __getitem__(self, name: Literal["job_name", "job_desc", "service_url", "train_url", "resource_id"]) -> str: ...
    @overload
    def __getitem__(self, name: Literal["status"]) -> JobStatus: ...
    @overload
    def __getitem__(self, name: Literal["create_time", "duration", "job_id"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["schedule"]) -> list[dict[str, Any]]: ...
    @overload
    def __getitem__(self, name: Literal["remaining_duration"]) -> Optional[int]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class VisualizationList(Response):
    job_total_count: int
    job_count_limit: int
    jobs: list[VisualizationRow]
    quotas: int

    @overload
    def __getitem__(self, name: Literal["job_total_count", "job_count_limit", "quotas"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["jobs"]) -> list[VisualizationRow]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class VisualizationInfo(Response):
    job_name: str
    service_url: str
    resource_id: str
    job_id: int
    job_desc: str
    duration: int
    create_time: int
    train_url: str
    status: JobStatus
    remaining_duration: Optional[int]

    @overload
    def __getitem__(self, name: Literal["job_name", "service_url", "resource_id", "job_desc", "train_url"]) -> str: ...
    @overload
    def __getitem__(self, name: Literal["job_id", "duration", "create_time"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["status"]) -> JobStatus: ...
    @overload
    def __getitem__(self, name: Literal["remaining_duration"]) -> Optional[int]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class Flavor(Record):
    spec_id: int
    core: str
    cpu: str
    gpu_num: int
    gpu_type: str
    spec_code: str
    max_num: int
    unit_num: int
    storage: str
    interface_type: int
    no_resource: bool

    @overload
    def __getitem__(self, name: Literal["spec_id", "gpu_num", "max_num", "unit_num", "interface_type"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["core", "cpu", "gpu_type", "spec_code", "storage"]) -> str: ...
    @overload
    def __getitem__(self, name: Literal["no_resource"]) -> bool: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class FlavorList(Response):
    spec_total_count: int
    specs: list[Flavor]

    @overload
    def __getitem__(self, name: Literal["spec_total_count"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["specs"]) -> list[Flavor]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class Engine(Record):
    engine_type: int
    engine_id: int
    engine_name: str
    engine_version: str

    @overload
    def __getitem__(self, name: Literal["engine_type", "engine_id"]) -> int: ...
    @overload
    def __getitem__(self, name: Literal["engine_name", "engine_version"]) -> str: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...


class EngineList(Response):
    engines: list[Engine]

    @overload
    def __getitem__(self, name: Literal["engines"]) -> list[Engine]: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...
