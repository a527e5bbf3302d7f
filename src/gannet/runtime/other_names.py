"""What other programs call the things that a recipe says, and what says them here."""

from collections.abc import Collection

from gannet.schema import alike

LEAST_ALIKE = 0.85
"""On a scale from 0 to 1, how alike a slip is to the word that was meant."""
GAME = "the two players of a game have one each"
OTHER_NAMES = {
    "images=N, which counts the pictures that are shown in all: E epochs of n pictures are images=E*n": (
        "epochs max_epochs num_epochs n_epochs num_train_epochs"
    ),
    "images=N, which counts the pictures that are shown in all: so many steps times batch": (
        "steps max_steps num_steps iterations max_iterations iters max_iters niter num_iterations kimg total_kimg"
    ),
    "batch=N, over all processes": (
        "batch_size bs batch_gpu batch_size_per_gpu train_batch_size per_device_train_batch_size minibatch"
    ),
    f"optimizer.generator.learning_rate and optimizer.discriminator.learning_rate, for {GAME}": (
        "lr learning_rate base_lr g_lr d_lr lr_g lr_d glr dlr generator_lr discriminator_lr optimizer_lr"
    ),
    f"optimizer.generator.betas and optimizer.discriminator.betas, for {GAME}": "betas beta beta1 beta2 b1 b2",
    f"optimizer.generator.weight_decay and optimizer.discriminator.weight_decay, for {GAME}": "weight_decay wd",
    "device=cuda; several are used by `torchrun --nproc-per-node N --no-python gannet train ...`": (
        "gpus gpu gpu_id gpu_ids num_gpus n_gpus ngpu devices cuda use_cuda accelerator nproc_per_node world_size"
    ),
    "no option: data are decoded once, into a cache, by all cores": (
        "workers num_workers n_workers nworkers num_threads n_threads n_cpu threads dataloader_num_workers"
    ),
    "data.size=N": "size image_size img_size imsize im_size input_size load_size crop_size resolution res",
    "data.channels=N": "channels image_channels img_channels in_channels nc",
    "data.source, or the word behind the recipe: `gannet train RECIPE DATA`": (
        "dataset data_dir data_root dataroot data_path train_dir train_data_dir dataset_path path"
    ),
    "data.limit=N": "max_samples max_images limit subset",
    "network.name": "model arch architecture backbone cfg",
    "network.latent=N": "latent latent_dim latent_size z_dim zdim dim_z nz noise_dim",
    "network.width=N": "width base_channels ngf ndf nf hidden_dim filters feature_maps",
    "task.conditional=true": "conditional cond class_cond class_conditional num_classes n_classes",
    "task.scale=N": "scale upscale outscale upscale_factor",
    "loss.name": "loss_type gan_mode gan_loss criterion",
    "loss.r1.weight": "gamma r1 r1_gamma r1_weight",
    "loss.gradient_penalty.weight": "lambda_gp gp_weight gp gradient_penalty",
    "augment.name": "aug augpipe augmentation diffaugment ada mirror xflip flip hflip random_flip",
    "average.half_life, in images": "ema ema_decay ema_kimg ema_beta ema_half_life ema_rampup",
    "precision=bf16": "amp fp16 bf16 half mixed_precision use_amp dtype",
    "accumulate=N": "accumulation gradient_accumulation_steps accumulate_grad_batches grad_accum",
    "--out RUN": "output output_dir outdir out_dir save_dir logdir log_dir checkpoint_dir results_dir workdir",
    "--resume RUN, or --from MODEL to begin anew from its weights": (
        "checkpoint ckpt ckpt_path resume_from resume_from_checkpoint pretrained weights load_from init_from finetune"
    ),
    "checkpoint.every, in images": "save_every save_freq save_interval save_steps snap snapshot checkpoint_every",
    "log.every, in images": "log_every log_interval log_freq logging_steps print_freq",
    "log.sheet_every, in images": "sample_every sample_interval display_freq",
    "log.tensorboard=true": "tensorboard wandb logger report_to",
    "--stop-on rule": "early_stopping patience early_stop",
    "seed=N": "random_seed manual_seed manualseed",
    "no option: a tenth is held out by content, or what the data hold out themselves": (
        "val_split validation_split test_size val_size val_dir val_data"
    ),
    "loss.update: there is one turn of each player a round": "n_critic ncritic d_steps n_dis d_iters num_d_steps",
}
"""What says it here -> the words of others, in lower case and with low lines."""
_FOUND = {word: here for here, words in OTHER_NAMES.items() for word in words.split()}


FEWEST_LETTERS = 5
"""Of a word with a slip in it: shorter ones are like too many."""


def called_here(word: str, own: Collection[str]) -> str:
    """Say what stands here for a key or a flag of other programs, slips in it allowed for; else nothing.

    Args:
        own: the words that are known here; a slip in one of these is none of another program's.
    """
    plain = word.lstrip("-").lower().replace("-", "_")
    if alike(plain, own, LEAST_ALIKE):
        return ""
    slipped = alike(plain, _FOUND, LEAST_ALIKE) if len(plain) >= FEWEST_LETTERS else None
    here = _FOUND.get(plain) or _FOUND.get(slipped or "", "")
    return f"here it is {here}." if here else ""
